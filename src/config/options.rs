//! What an image may set and `defaults` may set for all.

use super::build_options::BuildOptions;
use super::check::Checker;
use super::dockerfile_options::DockerfileOptions;
use super::hint::{nearest, suggest, suggest_or};
use super::mistakes::{Located, Place};
use super::specification::{Attestations, Builder, BuilderEngine, Platforms, Publish};
use super::written;
use crate::docker::Compression;
use crate::image::Platform;

const ATTESTATIONS: [(&str, Attestations); 2] =
    [("keep", Attestations::Keep), ("drop", Attestations::Drop)];

const BUILDERS: [(&str, Builder); 3] = [
    ("docker", Builder::Docker),
    ("auto", Builder::Auto),
    ("direct", Builder::Direct),
];

const ENGINES: [(&str, BuilderEngine); 3] = [
    ("auto", BuilderEngine::Auto),
    ("buildkit", BuilderEngine::BuildKit),
    ("classic", BuilderEngine::Classic),
];

const PUBLISHERS: [(&str, Publish); 2] = [
    ("longshore", Publish::Longshore),
    ("daemon", Publish::Daemon),
];

const COMPRESSIONS: [(&str, Compression); 2] =
    [("gzip", Compression::Gzip), ("zstd", Compression::Zstd)];

/// What was set. What is absent was not.
#[derive(Clone, Default)]
pub(super) struct Options {
    pub(super) platforms: Option<Platforms>,
    pub(super) attestations: Option<Attestations>,
    pub(super) referrers: Option<bool>,
    pub(super) dockerfile: DockerfileOptions,
    pub(super) builder: Option<Builder>,
    pub(super) builder_engine: Option<BuilderEngine>,
    pub(super) build: BuildOptions,
    pub(super) publish: Option<Publish>,
    pub(super) compression: Option<Compression>,
    /// Where these very options ask for attestations.
    keeps_attestations: Option<Place>,
}

impl Options {
    pub(super) fn check(written: written::Options, checker: &mut Checker<'_>) -> Self {
        let platforms = written
            .platforms
            .and_then(|written| platforms(written, checker));
        let attestations_place = written.attestations.as_ref().map(|text| text.place.clone());
        let attestations = written.attestations;
        let what = "nothing to do with attestations";
        let attestations = choice(attestations, &ATTESTATIONS, what, checker);
        let keeps = attestations == Some(Attestations::Keep);
        let mut build = written.build.unwrap_or_default();
        let template = build.template.take();
        let what = "none of Docker's builders";
        Self {
            platforms,
            attestations,
            referrers: written.referrers,
            dockerfile: DockerfileOptions::check(written.lines, template, checker),
            builder: choice(written.builder, &BUILDERS, "no builder", checker),
            builder_engine: choice(written.builder_engine, &ENGINES, what, checker),
            build: BuildOptions::check(build, checker),
            publish: choice(
                written.publish,
                &PUBLISHERS,
                "nobody who could publish",
                checker,
            ),
            compression: choice(
                written.compression,
                &COMPRESSIONS,
                "no compression of layers",
                checker,
            ),
            keeps_attestations: attestations_place.filter(|_| keeps),
        }
    }

    /// These options, with what they leave out taken from others.
    pub(super) fn or(self, others: &Self) -> Self {
        Self {
            platforms: self.platforms.or_else(|| others.platforms.clone()),
            attestations: self.attestations.or(others.attestations),
            referrers: self.referrers.or(others.referrers),
            dockerfile: self.dockerfile.or(&others.dockerfile),
            builder: self.builder.or(others.builder),
            builder_engine: self.builder_engine.or(others.builder_engine),
            build: self.build.or(&others.build),
            publish: self.publish.or(others.publish),
            compression: self.compression.or(others.compression),
            keeps_attestations: self.keeps_attestations,
        }
    }

    /// Refuses to keep what is lost: one platform is a single image, beside which nothing stands.
    pub(super) fn check_attestations(&self, checker: &mut Checker<'_>) {
        if let (Some(place), Some(Platforms::Only(list))) =
            (&self.keeps_attestations, &self.platforms)
            && let [only] = &list[..]
        {
            let message = format!("{only} alone gives a single image, without attestations");
            let hint = "name another platform too, or leave this out".to_owned();
            checker.mistakes.add(place, message, hint);
        }
    }
}

/// The architectures of container images, by Go's names (`go tool dist list`).
const ARCHITECTURES: [&str; 13] = [
    "amd64", "arm64", "arm", "386", "ppc64le", "s390x", "riscv64", "loong64", "mips64le", "mips64",
    "mipsle", "mips", "wasm",
];

fn platforms(written: written::Platforms, checker: &mut Checker<'_>) -> Option<Platforms> {
    let list = match written {
        written::Platforms::Word(word) if word.value == "all" => return Some(Platforms::All),
        written::Platforms::Word(word) => {
            let message = format!("expected a list or the word `all`, found `{}`", word.value);
            let otherwise = format!("write `[{}]`", word.value);
            let hint = suggest_or(&word.value, &["all"], &otherwise);
            checker.mistakes.add(&word.place, message, hint);
            return None;
        }
        written::Platforms::List(list) => list,
    };
    let mut platforms: Vec<Platform> = Vec::new();
    for text in &list {
        let Some(platform) = checker.parse::<Platform>(text) else {
            continue;
        };
        if !ARCHITECTURES.contains(&platform.architecture()) {
            let message = format!("there is no architecture `{}`", platform.architecture());
            let hint = nearest(platform.architecture(), ARCHITECTURES)
                .map(|known| format!("did you mean `{}/{known}`?", platform.os()));
            checker.mistakes.add(&text.place, message, hint);
        } else if !platforms.contains(&platform) {
            platforms.push(platform);
        }
    }
    Some(Platforms::Only(platforms))
}

/// One of a few words; what it is said to be is for the error.
fn choice<T: Copy>(
    text: Option<Located<String>>,
    words: &[(&'static str, T)],
    what: &str,
    checker: &mut Checker<'_>,
) -> Option<T> {
    let text = text?;
    let found = words.iter().find(|(word, _)| *word == text.value);
    if found.is_none() {
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let message = format!("`{}` is {what}", text.value);
        let hint = suggest(&text.value, &names, "write one of");
        checker.mistakes.add(&text.place, message, hint);
    }
    found.map(|(_, value)| *value)
}
