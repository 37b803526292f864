//! What an image may set and `defaults` may set for all.

use std::collections::BTreeMap;

use super::build_options::{BuildOptions, Taking};
use super::check::Checker;
use super::hint::{nearest, suggest};
use super::mistakes::{Located, Place};
use super::reader::{Line, Table};
use super::specification::{Attestations, Builder, BuilderEngine, Platforms, Publish};
use super::written;
use crate::context::Context;
use crate::docker::Compression;
use crate::dockerfile::{
    Demands, LineError, Lines, MetadataLines, NeedsBuild, Template, builds_on, check_dockerfile,
};
use crate::failure::chain;
use crate::image::Platform;

/// A name that no upstream image has, to try a template with.
pub(super) const TRIAL_BASE: &str = "longshore.invalid/base";

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
    pub(super) lines: Option<Lines>,
    pub(super) template: Option<Template>,
    pub(super) args: Option<BTreeMap<String, String>>,
    pub(super) builder: Option<Builder>,
    pub(super) builder_engine: Option<BuilderEngine>,
    pub(super) build: BuildOptions,
    pub(super) publish: Option<Publish>,
    pub(super) compression: Option<Compression>,
    pub(super) line_places: Vec<LinePlace>,
    pub(super) template_place: Option<Place>,
    /// Those of the lines that take files from the build context.
    taking: Option<Vec<Taking>>,
    /// Where these very options ask for attestations.
    keeps_attestations: Option<Place>,
}

/// Where an entry of `lines` stands.
#[derive(Clone)]
pub(super) struct LinePlace {
    place: Place,
    /// Whether the lines of the entry are lines of the file.
    is_block: bool,
}

impl LinePlace {
    /// The place of a line of the entry, counted from 0.
    pub(super) fn at(&self, line: usize) -> Place {
        let mut place = self.place.clone();
        if let Some(position) = &mut place.position
            && self.is_block
        {
            position.line += line;
        }
        place
    }
}

impl Options {
    pub(super) fn check(written: written::Options, checker: &mut Checker<'_>) -> Self {
        let platforms = written
            .platforms
            .and_then(|written| platforms(written, checker));
        let attestations_place = written.attestations.as_ref().map(|text| text.place.clone());
        let attestations = written.attestations.and_then(|text| {
            choice(
                &text,
                &ATTESTATIONS,
                "nothing to do with attestations",
                checker,
            )
        });
        let keeps = attestations == Some(Attestations::Keep);
        let written_lines = written.lines.as_deref().unwrap_or_default();
        let taking = written.lines.as_deref().map(Taking::among);
        let line_places: Vec<LinePlace> = written_lines.iter().map(line_place).collect();
        let lines = written
            .lines
            .and_then(|written| lines(&written, &line_places, checker));
        let builder = written.builder;
        let builder = builder.and_then(|text| choice(&text, &BUILDERS, "no builder", checker));
        let builder_engine = written.builder_engine;
        let builder_engine = builder_engine
            .and_then(|text| choice(&text, &ENGINES, "none of Docker's builders", checker));
        let mut build = written.build.unwrap_or_default();
        let build_options = BuildOptions::check(&mut build, checker);
        let template_place = build.template.as_ref().map(|path| path.place.clone());
        let template = build.template.and_then(|path| template(&path, checker));
        let args = build.args.map(|args| arguments(args, checker));
        let publish = written.publish;
        let publish = publish
            .and_then(|text| choice(&text, &PUBLISHERS, "nobody who could publish", checker));
        let compression = written.compression;
        let compression = compression
            .and_then(|text| choice(&text, &COMPRESSIONS, "no compression of layers", checker));
        Self {
            platforms,
            attestations,
            referrers: written.referrers,
            lines,
            template,
            args,
            builder,
            builder_engine,
            build: build_options,
            publish,
            compression,
            line_places,
            template_place,
            taking,
            keeps_attestations: attestations_place.filter(|_| keeps),
        }
    }

    /// These options, with what they leave out taken from others.
    pub(super) fn or(self, others: &Self) -> Self {
        let (template, template_place) = match self.template_place {
            Some(place) => (self.template, Some(place)),
            None => (others.template.clone(), others.template_place.clone()),
        };
        let (lines, line_places) = match self.lines {
            Some(lines) => (Some(lines), self.line_places),
            None => (others.lines.clone(), others.line_places.clone()),
        };
        Self {
            platforms: self.platforms.or_else(|| others.platforms.clone()),
            attestations: self.attestations.or(others.attestations),
            referrers: self.referrers.or(others.referrers),
            lines,
            line_places,
            args: self.args.or_else(|| others.args.clone()),
            builder: self.builder.or(others.builder),
            builder_engine: self.builder_engine.or(others.builder_engine),
            build: self.build.or(&others.build),
            taking: self.taking.or_else(|| others.taking.clone()),
            publish: self.publish.or(others.publish),
            compression: self.compression.or(others.compression),
            template,
            template_place,
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

    /// Whether the lines alone let an image be derived. With [`Builder::Direct`] they must.
    pub(super) fn is_derived(&self, checker: &mut Checker<'_>) -> bool {
        let lines = self.lines.clone().unwrap_or_default();
        let template = self.template.clone().unwrap_or_default();
        let builder = self.builder.unwrap_or_default();
        // A template that fails is a mistake already.
        let Ok(dockerfile) = template.render(TRIAL_BASE, &lines) else {
            return false;
        };
        if builder == Builder::Docker || !self.is_built() {
            return false;
        }
        let Err(reason) = MetadataLines::parse(&dockerfile, TRIAL_BASE) else {
            return true;
        };
        if builder == Builder::Direct {
            self.refuse(&reason, &lines, checker);
        }
        false
    }

    /// Refuses to derive, where the line stands in the file.
    fn refuse(&self, reason: &NeedsBuild, lines: &Lines, checker: &mut Checker<'_>) {
        let place = match (&self.template_place, reason.line) {
            (None, Some(line)) => self.place_of(line, lines),
            (place, _) => place.clone(),
        };
        let message = match &self.template_place {
            None => format!(
                "`{}` needs a build: {}",
                reason.instruction,
                chain(&reason.why)
            ),
            Some(_) => format!("of what it gives, {}", chain(reason)),
        };
        if let Some(place) = place {
            let hint =
                "write `builder: auto` to build what cannot be derived, or leave the line out";
            checker.mistakes.add(&place, message, hint.to_owned());
        }
    }

    /// Where a line of the Dockerfile stands that longshore's own template gives: `FROM` is the
    /// first.
    fn place_of(&self, line: usize, lines: &Lines) -> Option<Place> {
        let mut first = 2;
        for (entry, place) in lines.as_slice().iter().zip(&self.line_places) {
            let count = entry.lines().count();
            if line < first + count {
                return Some(place.at(line.saturating_sub(first)));
            }
            first += count;
        }
        None
    }

    /// Whether anything is added to the source, so that it is not copied.
    pub(super) fn is_built(&self) -> bool {
        let has_lines = self
            .lines
            .as_ref()
            .is_some_and(|lines| !lines.as_slice().is_empty());
        has_lines
            || self
                .template
                .as_ref()
                .is_some_and(|template| !template.is_builtin())
    }

    /// Tries the template, and says what the Dockerfile asks of whoever builds.
    pub(super) fn try_template(&self, checker: &mut Checker<'_>) -> Demands {
        let lines = self.lines.clone().unwrap_or_default();
        let (Some(template), Some(place)) = (&self.template, &self.template_place) else {
            if self.is_built() {
                self.build.check_target("", None, checker);
            }
            return lines.demands().clone();
        };
        let dockerfile = match template.render(TRIAL_BASE, &lines) {
            Ok(dockerfile) => dockerfile,
            Err(error) => {
                checker.mistakes.add(place, error.to_string(), None);
                return Demands::default();
            }
        };
        self.build
            .check_target(&dockerfile, Some(template), checker);
        if self.build.target.is_none() && !builds_on(&dockerfile, TRIAL_BASE, None) {
            let message = "the template's last stage is not built on `{{base}}`";
            let hint = "begin that stage with `FROM {{base}}`".to_owned();
            checker.mistakes.add(place, message, hint);
        }
        match check_dockerfile(&dockerfile) {
            Ok(demands) => demands,
            Err(errors) => {
                for LineError {
                    line,
                    message,
                    hint,
                    ..
                } in errors
                {
                    let message = format!("line {} of what it gives: {message}", line + 1);
                    checker.mistakes.add(place, message, hint);
                }
                Demands::default()
            }
        }
    }
}

impl Options {
    /// The build context, where the Dockerfile takes files from it. What it lacks is a mistake.
    pub(super) fn context(&self, checker: &mut Checker<'_>) -> Option<Context> {
        let mistakes = checker.mistakes.len();
        let taking = self.taking.as_deref().unwrap_or_default();
        let mut takes = self.build.check_files(taking, checker);
        // A template repeats the lines, and their mistakes.
        if checker.mistakes.len() == mistakes
            && let (Some(template), Some(place)) = (&self.template, &self.template_place)
        {
            let lines = self.lines.clone().unwrap_or_default();
            let dockerfile = template.render(TRIAL_BASE, &lines).unwrap_or_default();
            let taking = Taking::rendered(&dockerfile, place);
            takes = self.build.check_files(&taking, checker);
        }
        self.build.context.clone().filter(|_| takes)
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
            let hint = format!("write `[{}]`", word.value);
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
    text: &Located<String>,
    words: &[(&'static str, T)],
    what: &str,
    checker: &mut Checker<'_>,
) -> Option<T> {
    let found = words.iter().find(|(word, _)| *word == text.value);
    if found.is_none() {
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let message = format!("`{}` is {what}", text.value);
        let hint = suggest(&text.value, &names, "write one of");
        checker.mistakes.add(&text.place, message, hint);
    }
    found.map(|(_, value)| *value)
}

pub(super) fn line_place(written: &Located<Line>) -> LinePlace {
    LinePlace {
        place: written.place.clone(),
        is_block: written.value.is_block,
    }
}

fn lines(
    written: &[Located<Line>],
    places: &[LinePlace],
    checker: &mut Checker<'_>,
) -> Option<Lines> {
    let texts: Vec<String> = written.iter().map(|line| line.value.text.clone()).collect();
    match Lines::parse(&texts) {
        Ok(lines) => Some(lines),
        Err(errors) => {
            for error in errors {
                let place = places[error.entry].at(error.line);
                checker.mistakes.add(&place, error.message, error.hint);
            }
            None
        }
    }
}

fn template(path: &Located<String>, checker: &mut Checker<'_>) -> Option<Template> {
    let text = checker.read(path)?;
    match Template::parse(&text) {
        Ok(template) => Some(template),
        Err(error) => {
            checker.mistakes.add(&path.place, error.to_string(), None);
            None
        }
    }
}

fn arguments(
    written: Table<Located<String>>,
    checker: &mut Checker<'_>,
) -> BTreeMap<String, String> {
    let sound = |name: &str| {
        !name.starts_with(|c: char| c.is_ascii_digit())
            && !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    written
        .into_iter()
        .filter_map(|(name, value)| {
            let name = checker.shaped(name, sound, "the name of a build argument", "HTTP_PROXY")?;
            Some((name, value.value))
        })
        .collect()
}
