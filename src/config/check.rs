//! From the file as written to the checked specification.

use std::fmt::Display;
use std::path::Path;
use std::str::FromStr;

use super::CacheSpecification;
use super::document::Document;
use super::mistakes::{Located, Mistakes, Place};
use super::reader::Read as _;
use super::specification::{Destination, Specification};
use super::{
    builder, destination, images, pull_through_cache, registry_scanning, repositories,
    through_cache, upstreams, written,
};

const VERSION: &str = "1";

/// <https://reproducible-builds.org/specs/source-date-epoch/>.
const EPOCH: &str = "SOURCE_DATE_EPOCH";

/// The end of the year 9999, after which RFC 3339 has no times.
const LATEST: u64 = 253_402_300_799;

impl Specification {
    /// Checks a configuration and reports every mistake in it, syntax errors excepted: those end the
    /// reading. Policies, templates and password files are read; `env` gives passwords.
    pub fn parse(
        document: &Document,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Mistakes> {
        Self::read(document, env, true)
    }

    /// The same for whoever logs in nowhere and builds nothing: passwords and secrets of builds need
    /// not be there, are not read, and are empty.
    pub fn parse_without_secrets(
        document: &Document,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Mistakes> {
        Self::read(document, env, false)
    }

    fn read(
        document: &Document,
        env: &dyn Fn(&str) -> Option<String>,
        reads_secrets: bool,
    ) -> Result<Self, Mistakes> {
        let mut mistakes = Mistakes::of(&document.name);
        let written = builder::parse(&document.text, &mut mistakes).and_then(|node| {
            let place = Place::root(node.position);
            written::File::read(&node, &place, &mut mistakes)
        });
        let checker = Checker {
            folder: &document.folder,
            env,
            reads_secrets,
            elsewhere: None,
            source_date_epoch: None,
            mistakes,
        };
        match written {
            Some(written) => checker.file(written),
            None => Err(checker.mistakes.sorted()),
        }
    }
}

/// What the checks of all parts of the file share.
pub(super) struct Checker<'a> {
    /// Where relative paths start.
    pub(super) folder: &'a Path,
    pub(super) env: &'a dyn Fn(&str) -> Option<String>,
    /// Whether passwords and secrets have to be there.
    pub(super) reads_secrets: bool,
    /// Where images go that do not go to ECR.
    pub(super) elsewhere: Option<Destination>,
    /// What the variable of that name says.
    pub(super) source_date_epoch: Option<u64>,
    pub(super) mistakes: Mistakes,
}

impl Checker<'_> {
    /// Checks the whole file.
    pub(super) fn file(mut self, written: written::File) -> Result<Specification, Mistakes> {
        if let Some(version) = written.version.filter(|version| version.value != VERSION) {
            let message = format!("`{}` is not a version of this file", version.value);
            let hint = format!("write `version: {VERSION}`");
            self.mistakes.add(&version.place, message, hint);
        }
        self.source_date_epoch = self.epoch();
        let (destination, namespace) = destination::check(written.destination, &mut self);
        let repositories = repositories::check(written.repositories, &mut self);
        let caches = written.pull_through_cache.is_some() || written.registry_scanning.is_some();
        let rules = written.pull_through_cache.unwrap_or_default();
        let upstreams_of_rules = through_cache::upstreams(&rules);
        let cache = CacheSpecification {
            rules: pull_through_cache::check(rules, destination.account_id.as_deref(), &mut self),
            scanning: written
                .registry_scanning
                .map(|scanning| registry_scanning::check(scanning, &mut self)),
        };
        let upstreams = upstreams::check(written.upstreams, &upstreams_of_rules, &mut self);
        let detours = through_cache::detours(&cache.rules, &upstreams);
        let (images, patterns) = images::check(
            written.images,
            written.defaults,
            namespace.as_ref(),
            &detours,
            &mut self,
        );
        if self.mistakes.is_empty() {
            let ecr = Destination::Ecr(destination);
            Ok(Specification {
                destination: self.elsewhere.unwrap_or(ecr),
                namespace,
                repositories,
                upstreams,
                images,
                patterns,
                cache: caches.then_some(cache),
                partition: None,
            })
        } else {
            Err(self.mistakes.sorted())
        }
    }

    /// The time that `SOURCE_DATE_EPOCH` asks for, in seconds since 1970.
    fn epoch(&mut self) -> Option<u64> {
        let text = (self.env)(EPOCH).filter(|text| !text.is_empty())?;
        let seconds = text.parse().ok().filter(|seconds| *seconds <= LATEST);
        if seconds.is_none() {
            let message = format!("`{text}` is no time");
            let hint = "write seconds since 1970 as `1735689600`, or unset the variable".to_owned();
            let place = Place::argument(EPOCH);
            self.mistakes.add(&place, message, hint);
        }
        seconds
    }

    /// Parses a text. Its error, which repeats the text, becomes the mistake.
    pub(super) fn parse<T: FromStr<Err: Display>>(&mut self, text: &Located<String>) -> Option<T> {
        match text.value.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.mistakes.add(&text.place, error.to_string(), None);
                None
            }
        }
    }

    /// Keeps a text whose shape is right.
    pub(super) fn shaped(
        &mut self,
        text: Located<String>,
        is_right: impl FnOnce(&str) -> bool,
        what: &str,
        example: &str,
    ) -> Option<String> {
        if is_right(&text.value) {
            return Some(text.value);
        }
        let message = format!("`{}` is not {what}", text.value);
        let hint = format!("write it as `{example}`");
        self.mistakes.add(&text.place, message, hint);
        None
    }

    /// Reads a file that the configuration names.
    pub(super) fn read(&mut self, path: &Located<String>) -> Option<String> {
        let full = self.folder.join(&path.value);
        match std::fs::read_to_string(&full) {
            Ok(text) => Some(text),
            Err(error) => {
                let message = format!("cannot read `{}`: {error}", full.display());
                self.mistakes.add(&path.place, message, None);
                None
            }
        }
    }
}
