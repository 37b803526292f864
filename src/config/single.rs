//! One image without a file.

use std::path::Path;

use super::check::Checker;
use super::mistakes::{Located, Mistakes, Place};
use super::reader::Line;
use super::specification::Specification;
use super::written;

/// One image as the arguments of a command say it. It is checked as the file is.
#[derive(Clone, Copy, Debug, Default)]
pub struct SingleImage<'a> {
    /// The upstream image.
    pub source: &'a str,
    /// The destination: `NAME` or `NAME:TAG`; the source's where absent or empty.
    pub repository: Option<&'a str>,
    /// The platforms to build, or the one word `all`; longshore decides where empty.
    pub platforms: &'a [String],
    /// The extra Dockerfile lines.
    pub lines: &'a [String],
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
    /// `--platform` and so on.
    pub fn single(image: &SingleImage<'_>) -> Result<Self, Mistakes> {
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
        let written = written::File {
            version: None,
            destination: written::Destination {
                region: optional("--region", image.region),
                account_id: optional("--account-id", image.account_id),
                profile: optional("--profile", image.profile),
                role_arn: None,
                namespace: optional("--namespace", image.namespace),
                registry: optional("--registry", image.registry),
            },
            repositories: written::Repositories::default(),
            upstreams: Vec::new(),
            defaults: written::Options::default(),
            images: vec![Some(written::Image {
                place: Place::argument("SOURCE"),
                source: Some(text("SOURCE", image.source)),
                tags: None,
                repository: optional("REPOSITORY", image.repository)
                    .filter(|text| !text.value.is_empty()),
                options: written::Options {
                    platforms,
                    lines: Some(lines.collect()),
                    ..written::Options::default()
                },
            })],
        };
        let checker = Checker {
            folder: Path::new(""),
            env: &|_| None,
            mistakes: Mistakes::of("the arguments"),
        };
        checker.file(written)
    }
}

fn located<T>(argument: &str, value: T) -> Located<T> {
    Located {
        value,
        place: Place::argument(argument),
    }
}

fn text(argument: &str, value: &str) -> Located<String> {
    located(argument, value.to_owned())
}
