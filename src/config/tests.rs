//! Whole files through the whole check.

use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::builder;
use super::tree::Value;
use super::{Attestations, Destination, Document, Mistakes, SingleImage, Specification};
use crate::image::Tag;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/config")
}

fn env(name: &str) -> Option<String> {
    (name == "DOCKERHUB_TOKEN").then(|| "from-a-variable".to_owned())
}

fn parse(name: &str) -> Result<Specification, Mistakes> {
    let path = folder().join(name);
    let document = Document {
        name: name.rsplit('/').next().unwrap().to_owned(),
        text: std::fs::read_to_string(&path).unwrap(),
        folder: path.parent().unwrap().to_owned(),
    };
    Specification::parse(&document, &env)
}

fn inline(text: &str) -> Result<Specification, Mistakes> {
    let document = Document {
        name: "longshore.yaml".to_owned(),
        text: text.to_owned(),
        folder: PathBuf::new(),
    };
    Specification::parse(&document, &env)
}

/// A line for each image: what, where to, and what decides its content.
fn summary(specification: &Specification) -> String {
    let line = |image: &super::ImageSpecification| {
        let dockerfile = image.template.render("BASE", &image.lines).unwrap();
        let mut chosen = Vec::new();
        if image.attestations == Attestations::Drop {
            chosen.push(" without attestations");
        }
        if image.referrers {
            chosen.push(" with referrers");
        }
        format!(
            "{}: {} -> {}:{} {:?}{} {:?}\n{dockerfile}",
            image.line,
            image.source,
            image.repository,
            image.tag,
            image.platforms,
            chosen.concat(),
            image.args
        )
    };
    specification.images.iter().map(line).collect()
}

macro_rules! broken {
    ($($fault:ident: $file:literal,)*) => {$(
        #[test]
        fn $fault() {
            let mistakes = parse(concat!("broken/", $file)).unwrap_err().to_string();
            let here = folder().display().to_string();
            insta::assert_snapshot!($file, mistakes.replace(&here, "/fixtures"));
        }
    )*};
}

broken! {
    broken_aliases: "aliases.yaml",
    broken_build: "build.yaml",
    broken_builder: "builder.yaml",
    broken_destination: "destination.yaml",
    broken_docker_daemon: "docker-daemon.yaml",
    broken_documents: "documents.yaml",
    broken_duplicate_keys: "duplicate-keys.yaml",
    broken_engine: "engine.yaml",
    broken_images: "images.yaml",
    broken_lines: "lines.yaml",
    broken_misspelt_words: "misspelt-words.yaml",
    broken_no_images: "no-images.yaml",
    broken_nothing: "nothing.yaml",
    broken_pull_through_cache: "pull-through-cache.yaml",
    broken_repositories: "repositories.yaml",
    broken_same_destination: "same-destination.yaml",
    broken_syntax: "syntax.yaml",
    broken_tabs: "tabs.yaml",
    broken_tags: "tags.yaml",
    broken_template: "template.yaml",
    broken_unknown_keys: "unknown-keys.yaml",
    broken_upstreams: "upstreams.yaml",
    broken_via: "via.yaml",
    broken_wrong_types: "wrong-types.yaml",
}

#[test]
fn the_docker_hub_clone() {
    let specification = parse("../dockerhub-clone.yaml").unwrap();
    insta::assert_snapshot!(summary(&specification));
}

/// What repositories of the fixture have.
const AVAILABLE: &str = "latest stable v1 v1.2 v1.2.3 v1.2.34 v2.0 v2.10.0 v2.0.1-rc1 6.2 7.2.1 7.2.10 \
    18 18.2 18.2-alpine 20.11.1 21 1.24-alpine 1.25.1-alpine 1.26.0-alpine 1.26.0-alpine-perl 1.26.0";

fn available() -> Vec<Tag> {
    let names = AVAILABLE.split_whitespace();
    names.map(|name| name.parse().unwrap()).collect()
}

fn expanded(specification: Specification) -> Result<Specification, Mistakes> {
    let patterns = specification.patterns.clone();
    let images = patterns
        .iter()
        .flat_map(|pattern| pattern.expand(&available()).images);
    specification.expanded(images)
}

#[test]
fn patterns_of_tags() {
    let specification = parse("tags.yaml").unwrap();
    let steps: Vec<String> = specification
        .patterns
        .iter()
        .map(|pattern| {
            let steps = pattern.expand(&available()).steps;
            let steps: Vec<String> = steps
                .iter()
                .map(|step| format!("{} {}", step.name, step.kept))
                .collect();
            format!(
                "{}: {}: {}",
                pattern.line(),
                pattern.source(),
                steps.join(", ")
            )
        })
        .collect();
    let images: Vec<String> = expanded(specification)
        .unwrap()
        .images
        .iter()
        .map(|image| {
            format!(
                "{}: {} -> {}:{}",
                image.line, image.source, image.repository, image.tag
            )
        })
        .collect();
    insta::assert_snapshot!(format!("{}\n\n{}", steps.join("\n"), images.join("\n")));
}

#[test]
fn patterns_that_collide() {
    let text = "version: 1\nimages: [{source: redis, tags: ['7.*'], lines: [USER redis]}, \
        {source: redis, tags: ['7.2.1', v1]},\n{source: bitnami/redis, repository: redis, tags: [v1.2*]}, \
        {source: ghcr.io/org/redis, repository: redis, tags: {newest: 1, include: [v1.2.3, '*.3']}}]";
    let specification = inline(text).unwrap();
    insta::assert_snapshot!(expanded(specification).unwrap_err(), @r#"
2 mistakes in the configuration, seen with the tags that there are
images[1]: `redis:7.2.1` would be written twice: from `redis:7.2.1` (images[0], line 2) and from `redis:7.2.1` (images[1], line 2)
  hint: drop it from a pattern by `exclude`
images[3]: `redis:v1.2.3` would be written twice: from `bitnami/redis:v1.2.3` (images[2], line 3) and from `ghcr.io/org/redis:v1.2.3` (images[3], line 3)
  hint: give one of them a `repository` of its own
"#);
}

#[test]
fn narrows_patterns_to_names() {
    let specification = parse("tags.yaml").unwrap();
    for (names, found) in [
        (vec!["redis"], "7 latest 6.2 7.2.1 7.2.10"),
        (vec!["cache"], "latest 6.2 7.2.1 7.2.10"),
        (
            vec!["redis:7.2.10", "cache:7.2.99", "redis:latest"],
            "latest 7.2.10",
        ),
        (vec!["node", "node:18"], "18 18.2 20.11.1"),
        (vec!["nginx:stable", "node:18"], "18 stable"),
        (vec!["nginx:1.24-alpine"], ""),
    ] {
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let narrowed = specification.clone().narrow(&names).unwrap();
        let images = expanded(narrowed).unwrap().images;
        let tags: Vec<&str> = images.iter().map(|image| image.tag.as_str()).collect();
        assert_eq!(tags.join(" "), found, "{names:?}");
    }
    let names = ["node:21", "nginx:1.26.0", "cahce", "golang:1"].map(str::to_owned);
    insta::assert_snapshot!(specification.narrow(&names).unwrap_err(), @r#"
4 mistakes in the arguments
IMAGE: no image of the configuration is called `node:21`
  hint: `tags` of `node` (line 18) leaves it out
IMAGE: no image of the configuration is called `nginx:1.26.0`
  hint: `tags` of `nginx` (line 19) leaves it out
IMAGE: no image of the configuration is called `cahce`
  hint: did you mean `cache`?
IMAGE: no image of the configuration is called `golang:1`
  hint: `tags` of `golang` (line 21) leaves it out
"#);
}

#[test]
fn every_key() {
    let mut specification = parse("every-key.yaml").unwrap();
    let images = summary(&specification);
    specification.images.clear();
    insta::assert_snapshot!(format!("{specification:#?}\n{images}"));
}

#[test]
fn a_file_may_cache_and_copy_nothing() {
    for text in [
        "{version: 1, pull_through_cache: {}}",
        "{version: 1, registry_scanning: {}}",
        "{version: 1, pull_through_cache: {quay: {registry: quay.io}}, images: [mongo]}",
    ] {
        assert!(inline(text).unwrap().cache.is_some(), "{text}");
    }
    let specification = inline("{version: 1, images: [mongo]}").unwrap();
    assert!(specification.cache.is_none());
}

#[test]
fn json_says_the_same_as_yaml() {
    let json = "{\n\t\"version\": 1,\n\t\"images\": [{\"source\":\"redis\",\"tags\":[\"1.10\"],\
        \"repository\":null,\"lines\":[\"LABEL a=\\\"\\ud83d\\ude80\\t\\u0041\\\"\"]}]}";
    let yaml = "version: 1\nimages: [{source: redis, tags: [1.10], \
        lines: ['LABEL a=\"\u{1f680}\tA\"']}]";
    let [json, yaml] = [json, yaml].map(|text| {
        let mut specification = inline(text).unwrap();
        specification.images[0].line = 0;
        summary(&specification)
    });
    assert_eq!(json, yaml);

    let long = "x".repeat(5000);
    let json = format!(
        "{{\"version\":1,\"images\":[{{\"source\":\"redis\",\"lines\":[\"USER {long}\"]}}]}}"
    );
    inline(&json).unwrap();
}

#[test]
fn aliases_cannot_grow_without_end() {
    let level = |n: usize| format!("a{n}: &a{n} [*a{0}, *a{0}]\n", n - 1);
    let text = format!("a0: &a0 [x, x]\n{}", (1..40).map(level).collect::<String>());
    let mistakes = inline(&text).unwrap_err().to_string();
    assert!(mistakes.contains("aliases repeat too much"), "{mistakes}");
}

#[test]
fn a_block_of_lines_knows_its_own_lines() {
    let text = "version: 1\nimages:\n  - source: a/b\n    lines:\n      - |\n\n        USER x\n\n        USR y\n";
    insta::assert_snapshot!(inline(text).unwrap_err(), @r#"
1 mistake in longshore.yaml
longshore.yaml:9:9: images[0].lines[0]: `USR` is not an instruction of a Dockerfile
  hint: did you mean `USER`?
"#);
}

#[test]
fn narrows_to_names() {
    let specification = parse("../dockerhub-clone.yaml").unwrap();
    for (name, lines) in [
        ("mongo", vec![6]),
        ("docker.io/library/mongo:latest", vec![6]),
        ("hashicorp/vault", vec![8, 14]),
        ("hashicorp/vault:1.14", vec![8]),
        ("ecsclone/hashicorp/vault:1.13.3", vec![14]),
        ("ecsclone/redis", vec![7]),
    ] {
        let narrowed = specification.clone().narrow(&[name.to_owned()]).unwrap();
        let found: Vec<usize> = narrowed.images.iter().map(|image| image.line).collect();
        assert_eq!(found, lines, "{name}");
    }
    let names = ["redsi", "mongo", "postgres"].map(str::to_owned);
    insta::assert_snapshot!(specification.narrow(&names).unwrap_err(), @r#"
2 mistakes in the arguments
IMAGE: no image of the configuration is called `redsi`
  hint: did you mean `redis`?
IMAGE: no image of the configuration is called `postgres`
  hint: the images are `mongo:latest`, `redis:latest`, `hashicorp/vault:1.14`, `hashicorp/vault:1.13.3`
"#);
}

#[test]
fn a_time_is_seconds() {
    for (text, seconds) in [
        ("0", Ok(Some(0))),
        ("1735689600", Ok(Some(1_735_689_600))),
        ("", Ok(None)),
        ("-1", Err(())),
        ("253402300800", Err(())),
        ("2025-01-01", Err(())),
    ] {
        let env = |name: &str| (name == "SOURCE_DATE_EPOCH").then(|| text.to_owned());
        let image = SingleImage {
            source: "mongo",
            ..SingleImage::default()
        };
        let found = Specification::single(&image, &env);
        let found = found.map(|found| found.images[0].source_date_epoch);
        if let Err(mistakes) = &found {
            let told = mistakes.to_string();
            assert!(
                told.contains(&format!("SOURCE_DATE_EPOCH: `{text}` is no time")),
                "{told}"
            );
        }
        assert_eq!(found.map_err(drop), seconds, "{text}");
    }
}

#[test]
fn one_image_without_a_file() {
    let specification = Specification::single(
        &SingleImage {
            source: "wordpress:php7.4-apache",
            repository: Some("php_wordpress:base"),
            platforms: &["linux/arm64/v8".to_owned()],
            lines: &["ENV A=1".to_owned()],
            region: Some("eu-west-1"),
            profile: Some(""),
            ..SingleImage::default()
        },
        &env,
    )
    .unwrap();
    let Destination::Ecr(destination) = &specification.destination else {
        panic!("it goes to ECR")
    };
    assert_eq!(destination.profile, None);
    insta::assert_snapshot!(summary(&specification), @r#"
0: docker.io/library/wordpress:php7.4-apache -> php_wordpress:base Only([linux/arm64]) {}
FROM BASE
ENV A=1
"#);

    let mistakes = Specification::single(
        &SingleImage {
            source: "redis:*",
            repository: Some("Redis"),
            platforms: &["linux".to_owned()],
            lines: &["RUN true".to_owned(), "FROM x".to_owned()],
            account_id: Some("12"),
            ..SingleImage::default()
        },
        &env,
    );
    insta::assert_snapshot!(mistakes.unwrap_err(), @r#"
5 mistakes in the arguments
--account-id: `12` is not an AWS account
  hint: write it as `123456789012`
--platform: `linux` is not a platform; write it as `linux/amd64` or `linux/arm/v7`
--line: `FROM` is written by longshore
  hint: the upstream image is named by `source`
REPOSITORY: `Redis` is not a repository: the repository must be lower case
SOURCE: `redis:*` is a pattern
  hint: name one tag, or take all with `--all-tags`; patterns stand in a file, under `tags`
"#);
}

#[test]
fn a_layout_is_a_source() {
    let text = "version: 1\nimages:\n\
                - oci:./layouts/app:1.0\n\
                - {source: 'oci:/abs/Web', tags: ['2', '3*'], repository: web}\n";
    let specification = inline(text).unwrap();
    let mut told = vec![summary(&specification)];
    let names = ["oci:/abs/Web:2".to_owned()];
    let narrowed = specification.narrow(&names).unwrap();
    assert_eq!(narrowed.images.len(), 1);

    let text = "version: 1\nimages:\n\
                - {source: 'oci:app', lines: [ENV A=1]}\n\
                - {source: 'oci:other/app', platforms: [linux/amd64]}\n\
                - oci:/\n\
                - oci:App\n\
                - oci:app@sha256:abc\n";
    told.push(inline(text).unwrap_err().to_string());
    let defaults = "version: 1\ndefaults: {lines: [ENV A=1]}\nimages:\n- oci:app\n";
    told.push(inline(defaults).unwrap_err().to_string());
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn one_image_elsewhere() {
    let to = |to, image: SingleImage<'static>| {
        let image = SingleImage {
            source: if image.source.is_empty() {
                "mongo:7"
            } else {
                image.source
            },
            to: Some(to),
            ..image
        };
        match Specification::single(&image, &env) {
            Ok(specification) => format!(
                "{:?}\n{}",
                specification.destination,
                summary(&specification)
            ),
            Err(mistakes) => mistakes.to_string(),
        }
    };
    let plain = SingleImage::default;
    let told = [
        to("ghcr.io/org/mongo:8", plain()),
        to("docker.io/acme/mongo", plain()),
        to("oci:./out/Mongo:8", plain()),
        to(
            "oci:out",
            SingleImage {
                source: "oci:In:1",
                ..plain()
            },
        ),
        to(
            "public.ecr.aws/a/b",
            SingleImage {
                profile: Some("public"),
                ..plain()
            },
        ),
        to(
            "ghcr.io/acme/app",
            SingleImage {
                source: "docker-daemon:app:1",
                ..plain()
            },
        ),
        to(
            "ghcr.io/acme/app",
            SingleImage {
                source: "docker-daemon:app",
                all_tags: true,
                ..plain()
            },
        ),
        to("docker-daemon:app:1", plain()),
        to("acme/mongo", plain()),
        to("ghcr.io/Org/mongo", plain()),
        to(
            "ghcr.io/org/mongo@sha256:0000000000000000000000000000000000000000000000000000000000000000",
            plain(),
        ),
        to(
            "ghcr.io/org/mongo:7",
            SingleImage {
                profile: Some("x"),
                ..plain()
            },
        ),
        to(
            "ghcr.io/org/mongo",
            SingleImage {
                repository: Some("mongo"),
                namespace: Some("team"),
                region: Some("eu-west-1"),
                account_id: Some("123456789012"),
                ..plain()
            },
        ),
        to(
            "oci:out",
            SingleImage {
                profile: Some("x"),
                registry: Some("http://127.0.0.1:5000"),
                ..plain()
            },
        ),
        to(
            "ghcr.io/org/mongo:7",
            SingleImage {
                source: "mongo",
                all_tags: true,
                ..plain()
            },
        ),
        to(
            "ghcr.io/org/mongo",
            SingleImage {
                all_tags: true,
                ..plain()
            },
        ),
    ];
    insta::assert_snapshot!(told.join("\n"));
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC*") {
        let _ = inline(&text);
    }

    #[test]
    fn no_nearly_sound_text_panics(
        text in "version: 1\n(images|defaults|[a-z<]{1,3}): ?[-a-z0-9:&*!|>{}\\[\\], \n\t\"'#@$\\\\<]{0,80}"
    ) {
        let _ = inline(&text);
    }

    #[test]
    fn a_quoted_text_survives(text in any::<String>()) {
        let json = serde_json::to_string(&text).unwrap();
        let mut mistakes = Mistakes::of("test");
        let node = builder::parse(&format!("{{\"key\": {json}}}"), &mut mistakes).unwrap();
        let Value::Map(entries) = node.value else { panic!("no mapping") };
        let Value::Text { text: found, .. } = &entries[0].value.value else { panic!("no text") };
        prop_assert_eq!(found, &text);
    }
}
