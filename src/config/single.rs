//! One image without a file.

use std::path::Path;

use super::check::Checker;
use super::elsewhere::Elsewhere;
use super::mistakes::{Located, Mistakes, Place};
use super::reader::Line;
use super::specification::{Destination, Specification};
use super::{through_cache, written};
use crate::image::Location;

/// One image, or all of a repository, as the arguments of a command say it. It is checked as the
/// file is.
#[derive(Clone, Copy, Debug, Default)]
pub struct SingleImage<'a> {
    /// The upstream image.
    pub source: &'a str,
    /// The prefix of the rule of ECR's pull-through cache that the source is read through; it is
    /// read at its own registry where absent.
    pub via: Option<&'a str>,
    /// Whether all tags of the source are meant.
    pub all_tags: bool,
    /// A destination that is not reached through ECR's API: `HOST/REPOSITORY` or `oci:DIR`, with or
    /// without a tag. What follows about ECR is absent then.
    pub to: Option<&'a str>,
    /// Whether a tag that holds something else stays as it is, which is a conflict.
    pub no_clobber: bool,
    /// The destination: `NAME` or `NAME:TAG`; the source's where absent or empty.
    pub repository: Option<&'a str>,
    /// The platforms to build, or the one word `all`; longshore decides where empty.
    pub platforms: &'a [String],
    /// What becomes of BuildKit's attestations: `keep` or `drop`.
    pub attestations: Option<&'a str>,
    /// Whether what refers to the image is copied too.
    pub referrers: bool,
    /// The extra Dockerfile lines.
    pub lines: &'a [String],
    /// Who makes what has lines: `docker`, `auto` or `direct`.
    pub builder: Option<&'a str>,
    /// Which of Docker's builders builds: `auto`, `buildkit` or `classic`.
    pub builder_engine: Option<&'a str>,
    /// The prefix of the destination repository.
    pub namespace: Option<&'a str>,
    /// The AWS region.
    pub region: Option<&'a str>,
    /// The AWS account, twelve digits.
    pub account_id: Option<&'a str>,
    /// The AWS profile.
    pub profile: Option<&'a str>,
    /// The destination registry's real endpoint, for tests and proxies.
    pub registry: Option<&'a str>,
}

impl Specification {
    /// The specification of one image. Its mistakes name the arguments: `SOURCE`, `REPOSITORY`,
    /// `--platform` and so on. `env` gives `SOURCE_DATE_EPOCH`.
    pub fn single(
        image: &SingleImage<'_>,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Mistakes> {
        let SingleImage {
            platforms, lines, ..
        } = image;
        let platforms = match platforms {
            [] => None,
            [word] if word == "all" => Some(written::Platforms::Word(text("--platform", word))),
            list => {
                let list = list.iter().map(|word| text("--platform", word)).collect();
                Some(written::Platforms::List(list))
            }
        };
        let lines = lines.iter().map(|line| {
            let line = Line {
                text: line.clone(),
                is_block: false,
            };
            located("--line", line)
        });
        let optional = |name: &str, value: Option<&str>| value.map(|value| text(name, value));
        let mut mistakes = Mistakes::of("the arguments");
        let elsewhere = match image.to {
            Some(to) => match Elsewhere::check(to, image, &mut mistakes) {
                Some(elsewhere) if mistakes.is_empty() => Some(elsewhere),
                _ => return Err(mistakes),
            },
            None => None,
        };
        let repository = match &elsewhere {
            Some(Elsewhere { name, .. }) => Some(text("--to", name)),
            None => optional("REPOSITORY", image.repository),
        };
        let elsewhere = elsewhere.map(|elsewhere| elsewhere.destination);
        let mut destination = written::Destination {
            region: optional("--region", image.region),
            account_id: optional("--account-id", image.account_id),
            profile: optional("--profile", image.profile),
            role_arn: None,
            namespace: optional("--namespace", image.namespace),
            registry: optional("--registry", image.registry),
        };
        let mut upstreams = Vec::new();
        if let Some(Destination::Registry(host)) = &elsewhere {
            // What is known of a registry that is not reached by ECR's API stands there in a file.
            let upstream = written::Upstream {
                profile: destination.profile.take(),
                endpoint: destination.registry.take(),
                ..written::Upstream::default()
            };
            upstreams.push((text("--to", host.as_str()), upstream));
        }
        let mut rules = None;
        match (image.via, image.source.parse()) {
            (Some(prefix), Ok(Location::Registry(source))) => {
                upstreams.push(through_cache::upstream(&source.registry));
                rules = Some(vec![through_cache::rule(prefix, &source.registry)]);
            }
            (Some(_), Ok(Location::Layout(_))) => {
                let message = "an OCI layout is read through no cache";
                mistakes.add(
                    &Place::argument("--via"),
                    message,
                    "leave it out".to_owned(),
                );
            }
            _ => {}
        }
        let all_tags = || written::Tags::List(vec![text("--all-tags", "**")]);
        let written = written::File {
            version: None,
            destination,
            repositories: written::Repositories::default(),
            upstreams,
            defaults: written::Options::default(),
            images: vec![Some(written::Image {
                place: Place::argument("SOURCE"),
                source: Some(text("SOURCE", image.source)),
                tags: image.all_tags.then(all_tags),
                repository: repository.filter(|text| !text.value.is_empty()),
                options: written::Options {
                    platforms,
                    attestations: optional("--attestations", image.attestations),
                    referrers: Some(image.referrers),
                    lines: Some(lines.collect()),
                    builder: optional("--builder", image.builder),
                    builder_engine: optional("--builder-engine", image.builder_engine),
                    ..written::Options::default()
                },
            })],
            pull_through_cache: rules,
            registry_scanning: None,
        };
        let checker = Checker {
            folder: Path::new(""),
            env,
            reads_secrets: true,
            elsewhere,
            source_date_epoch: None,
            mistakes,
        };
        let mut specification = checker.file(written)?;
        specification.repositories.overwrite = !image.no_clobber;
        Ok(specification)
    }
}

pub(super) fn located<T>(argument: &str, value: T) -> Located<T> {
    Located {
        value,
        place: Place::argument(argument),
    }
}

pub(super) fn text(argument: &str, value: &str) -> Located<String> {
    located(argument, value.to_owned())
}
