//! The images that a Dockerfile reads.

use std::collections::BTreeSet;

use parse_dockerfile::Instruction;

use crate::image::Registry;

/// The registries of all images that a Dockerfile reads: by `FROM`, and by `COPY --from` where that
/// names no earlier stage. A name that holds variables says nothing before the build.
pub fn registries(dockerfile: &str) -> BTreeSet<Registry> {
    let Ok(parsed) = parse_dockerfile::parse(dockerfile) else {
        return BTreeSet::new();
    };
    let mut stages = BTreeSet::new();
    let mut images = Vec::new();
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
            _ => {}
        }
    }
    let is_stage = |name: &str| {
        stages.contains(&name.to_lowercase()) || name.bytes().all(|byte| byte.is_ascii_digit())
    };
    let images = images.into_iter().filter(|name| !is_stage(name));
    let references = images.filter_map(|name| name.parse::<crate::image::Reference>().ok());
    references.map(|reference| reference.registry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_registry() {
        let found = registries(
            "FROM registry.internal/tools:1 AS tools\n\
             FROM redis@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n\
             COPY --from=tools /a /a\n\
             COPY --from=0 /b /b\n\
             COPY --from=ghcr.io/org/app:1 /c /c\n\
             COPY --from=$IMAGE /d /d\n",
        );
        let names: Vec<&str> = found.iter().map(Registry::as_str).collect();
        assert_eq!(names, ["docker.io", "ghcr.io", "registry.internal"]);
    }
}
