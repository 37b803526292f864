//! Which of Docker's builders builds an image.

use crate::config::{BuilderEngine, ImageSpecification};
use crate::docker::{Engine, Engines};
use crate::dockerfile::{BuildKitNeed, check_dockerfile};
use crate::failure::{Failure, Kind};

/// The daemon has no builder that could build an image.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoEngine {
    #[error("{what} needs BuildKit, which this Docker daemon does not have")]
    Missing { what: String },
    #[error("{what} needs the BuildKit of Docker {release} or newer, and this daemon is older")]
    Old { what: String, release: &'static str },
}

impl Failure for NoEngine {
    fn kind(&self) -> Kind {
        Kind::Permanent
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Missing { .. } => {
                "build where Docker runs Linux containers: Podman and Windows have no BuildKit"
            }
            Self::Old { .. } => "update Docker, or write the line without it",
        };
        Some(hint.to_owned())
    }
}

/// The builder for an image whose Dockerfile this is. Where the user leaves the choice, it is the
/// one that the daemon itself would take, and BuildKit where nothing else can build the lines.
pub(super) fn choose(
    image: &ImageSpecification,
    dockerfile: &str,
    engines: Engines,
) -> Result<Engine, NoEngine> {
    // What is wrong with a Dockerfile whoever builds says.
    let needs = check_dockerfile(dockerfile).unwrap_or_default().buildkit;
    let wanted = match image.builder_engine {
        BuilderEngine::Classic => Engine::Classic,
        BuilderEngine::BuildKit => Engine::BuildKit,
        BuilderEngine::Auto if !needs.is_empty() || !image.secrets.is_empty() => Engine::BuildKit,
        // BuildKit knows no networks of the user's own.
        BuilderEngine::Auto if has_own_network(image) => Engine::Classic,
        BuilderEngine::Auto => engines.usual,
    };
    if wanted == Engine::Classic {
        return Ok(wanted);
    }
    let Some(version) = engines.buildkit else {
        let what = match needs.into_iter().next() {
            Some(need) => need.what,
            None if image.secrets.is_empty() => "`builder_engine: buildkit`".to_owned(),
            None => "a secret".to_owned(),
        };
        return Err(NoEngine::Missing { what });
    };
    let too_new = |need: BuildKitNeed| {
        let release = need.since.filter(|release| version < release.api)?;
        Some(NoEngine::Old {
            what: need.what,
            release: release.name,
        })
    };
    match needs.into_iter().find_map(too_new) {
        Some(error) => Err(error),
        None => Ok(wanted),
    }
}

fn has_own_network(image: &ImageSpecification) -> bool {
    let network = image.network.as_deref();
    network.is_some_and(|name| !["none", "host"].contains(&name))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::config::{SingleImage, Specification};
    use crate::docker::BuildSecret;

    const NEW: Engines = Engines {
        usual: Engine::BuildKit,
        buildkit: Some((1, 44)),
    };
    const OLD: Engines = Engines {
        usual: Engine::Classic,
        buildkit: Some((1, 41)),
    };
    const NONE: Engines = Engines {
        usual: Engine::Classic,
        buildkit: None,
    };

    fn image(engine: &str, line: &str) -> ImageSpecification {
        let single = SingleImage {
            source: "redis",
            lines: &[line.to_owned()],
            builder_engine: Some(engine),
            ..SingleImage::default()
        };
        let specification = Specification::single(&single, &|_| None).unwrap();
        specification.images.into_iter().next().unwrap()
    }

    fn chosen(engine: &str, line: &str, network: Option<&str>, engines: Engines) -> String {
        let mut image = image(engine, line);
        image.network = network.map(str::to_owned);
        let dockerfile = format!("FROM redis\n{line}\n");
        match choose(&image, &dockerfile, engines) {
            Ok(engine) => engine.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_daemon_decides_unless_the_user_or_the_lines_do() {
        let (plain, mount, heredoc) = (
            "RUN true",
            "RUN --mount=type=cache,target=/c true",
            "RUN <<E\ntrue\nE",
        );
        let mut table = Vec::new();
        for (engine, line, network, engines) in [
            ("auto", plain, None, NEW),
            ("auto", plain, None, OLD),
            ("auto", plain, None, NONE),
            ("auto", plain, Some("none"), NEW),
            ("auto", plain, Some("mine"), NEW),
            ("auto", mount, None, OLD),
            ("auto", mount, None, NONE),
            ("auto", heredoc, None, NEW),
            ("auto", heredoc, None, OLD),
            ("classic", plain, None, NEW),
            ("buildkit", plain, None, OLD),
            ("buildkit", plain, None, NONE),
        ] {
            let usual = match engines {
                NEW => "new",
                OLD => "old",
                _ => "none",
            };
            let word = line.replace('\n', " ");
            let network = network.unwrap_or("-");
            let engine_chosen =
                chosen(engine, line, Some(network).filter(|it| *it != "-"), engines);
            table.push(format!(
                "{engine} on {usual}, {network}, {word}: {engine_chosen}"
            ));
        }
        insta::assert_snapshot!(table.join("\n"), @r"
        auto on new, -, RUN true: BuildKit
        auto on old, -, RUN true: the classic builder
        auto on none, -, RUN true: the classic builder
        auto on new, none, RUN true: BuildKit
        auto on new, mine, RUN true: the classic builder
        auto on old, -, RUN --mount=type=cache,target=/c true: BuildKit
        auto on none, -, RUN --mount=type=cache,target=/c true: `RUN --mount` needs BuildKit, which this Docker daemon does not have
        auto on new, -, RUN <<E true E: BuildKit
        auto on old, -, RUN <<E true E: a heredoc needs the BuildKit of Docker 23.0 or newer, and this daemon is older
        classic on new, -, RUN true: the classic builder
        buildkit on old, -, RUN true: BuildKit
        buildkit on none, -, RUN true: `builder_engine: buildkit` needs BuildKit, which this Docker daemon does not have
        ");
    }

    #[test]
    fn a_secret_needs_buildkit_whatever_the_lines_do() {
        let mut image = image("auto", "RUN true");
        image.secrets = vec![BuildSecret {
            id: "token".to_owned(),
            value: Arc::new(b"t".to_vec().into()),
        }];
        let choose = |engines| choose(&image, "FROM redis\nRUN true\n", engines);
        assert_eq!(choose(OLD).unwrap(), Engine::BuildKit);
        let error = choose(NONE).unwrap_err();
        let told = "a secret needs BuildKit, which this Docker daemon does not have";
        assert_eq!(error.to_string(), told);
        assert!(error.hint().unwrap().starts_with("build where Docker runs"));
    }
}
