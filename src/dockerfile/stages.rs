//! The stages of a Dockerfile, and the images that they read.

use std::collections::BTreeSet;

use parse_dockerfile::Instruction;

use super::demands::Mount;
use crate::image::Reference;

/// All images that a Dockerfile reads: by `FROM`, and by `COPY --from` and `RUN --mount` where they
/// name no earlier stage. A name that holds variables says nothing before the build.
pub fn images(dockerfile: &str) -> Vec<Reference> {
    let Ok(parsed) = parse_dockerfile::parse(dockerfile) else {
        return Vec::new();
    };
    let mut stages = BTreeSet::new();
    let (mut images, mut mounted) = (Vec::new(), Vec::new());
    for instruction in &parsed.instructions {
        match instruction {
            Instruction::From(from) => {
                images.push(from.image.value.as_ref());
                stages.extend(from.as_.iter().map(|(_, name)| name.value.to_lowercase()));
            }
            Instruction::Copy(copy) => {
                let from = copy.options.iter().filter(|flag| flag.name.value == "from");
                images.extend(from.filter_map(|flag| Some(flag.value.as_ref()?.value.as_ref())));
            }
            Instruction::Run(run) => {
                let from = Mount::all(run);
                let from = from.iter().filter_map(|mount| mount.field(&["from"]));
                mounted.extend(from.map(str::to_owned));
            }
            _ => {}
        }
    }
    images.extend(mounted.iter().map(String::as_str));
    let is_stage = |name: &str| {
        stages.contains(&name.to_lowercase()) || name.bytes().all(|byte| byte.is_ascii_digit())
    };
    // An image of the daemon itself is named by its ID.
    let is_id = |name: &str| name.starts_with("sha256:");
    let images = images.into_iter();
    let images = images.filter(|name| !is_stage(name) && !is_id(name));
    images.filter_map(|name| name.parse().ok()).collect()
}

/// The names of the stages that have one, as they are written.
pub fn stages(dockerfile: &str) -> Vec<String> {
    let Ok(parsed) = parse_dockerfile::parse(dockerfile) else {
        return Vec::new();
    };
    let names = parsed.instructions.iter().filter_map(|it| match it {
        Instruction::From(from) => from.as_.as_ref().map(|(_, name)| name.value.to_string()),
        _ => None,
    });
    names.collect()
}

/// Whether the image that a Dockerfile gives is built on `base`, perhaps by way of stages. It is
/// that of the stage `target`, else of the last one. No stage of that name builds on anything.
pub fn builds_on(dockerfile: &str, base: &str, target: Option<&str>) -> bool {
    let Ok(parsed) = parse_dockerfile::parse(dockerfile) else {
        return false;
    };
    // Stages by name that are built on the base, and whether the latest stage is.
    let mut stages = BTreeSet::new();
    let mut latest = false;
    for instruction in &parsed.instructions {
        let Instruction::From(from) = instruction else {
            continue;
        };
        let image = from.image.value.as_ref();
        latest = image == base || stages.contains(&image.to_lowercase());
        let Some((_, name)) = &from.as_ else { continue };
        // Docker compares names without regard to case, and takes the first of two.
        if target.is_some_and(|target| target.eq_ignore_ascii_case(&name.value)) {
            return latest;
        }
        if latest {
            stages.insert(name.value.to_lowercase());
        }
    }
    latest && target.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_image() {
        let found = images(
            "FROM registry.internal/tools:1 AS tools\n\
             FROM redis@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n\
             COPY --from=tools /a /a\n\
             COPY --from=0 /b /b\n\
             COPY --from=ghcr.io/org/app:1 /c /c\n\
             RUN --mount=type=bind,from=quay.io/org/app:1,target=/e true\n\
             COPY --from=$IMAGE /d /d\n",
        );
        let names: Vec<String> = found.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(names.join("\n"), @r"
        registry.internal/tools:1
        docker.io/library/redis@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
        ghcr.io/org/app:1
        quay.io/org/app:1
        ");
    }

    #[test]
    fn the_last_stage_counts() {
        for (dockerfile, expected) in [
            ("FROM base\n", true),
            ("FROM base AS one\nFROM one\n", true),
            ("FROM other AS one\nFROM base\n", true),
            ("FROM base AS one\nFROM other\n", false),
            ("FROM other\n# base\n", false),
            ("not a Dockerfile", false),
        ] {
            assert_eq!(
                builds_on(dockerfile, "base", None),
                expected,
                "{dockerfile}"
            );
        }
        let dockerfile = "FROM other AS tools\nFROM base AS made\nFROM made AS Tested\n";
        assert_eq!(stages(dockerfile), ["tools", "made", "Tested"]);
        for (target, expected) in [
            ("tools", false),
            ("MADE", true),
            ("tested", true),
            ("absent", false),
        ] {
            assert_eq!(
                builds_on(dockerfile, "base", Some(target)),
                expected,
                "{target}"
            );
        }
    }
}
