//! The lock: what every tag of a configuration resolved to at one moment. Pure; `lock_file.rs`
//! reads and writes it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use super::image_pattern::ImagePattern;
use super::lock_file::LockError;
use super::specification::{ImageSpecification, Platforms, Specification};
use crate::image::{Digest, Tag};
use crate::selection::TagSelection;

/// The version of the file. It grows with every change that could break a reader.
pub(super) const VERSION: u8 = 1;

/// What every tag of a configuration resolved to at one moment. Destinations are named without
/// their registry, so that one lock serves several accounts. Equal content gives equal bytes.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    pub(super) version: u8,
    /// By destination: `ecsclone/redis:7`.
    images: BTreeMap<String, LockedImage>,
    /// The entries that choose tags by patterns, sorted.
    patterns: BTreeSet<LockedPattern>,
}

/// What one destination tag is made from.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
struct LockedImage {
    source: String,
    /// Sorted; `None` where the choice is open.
    platforms: Option<BTreeSet<String>>,
    digest: Digest,
}

/// What an entry that chooses tags by patterns chose. Without it nobody could tell an entry that
/// chose nothing from one that is newer than the lock.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LockedPattern {
    repository: String,
    source: String,
    rules: Rules,
    chosen: Vec<Tag>,
}

/// What decides about the choice; tags that the entry names are images of their own.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    include: Vec<String>,
    semver: Option<String>,
    exclude: Vec<String>,
    newest: Option<NonZeroUsize>,
}

impl Lock {
    /// The lock of images, each with the digest that its source has, and of what patterns chose.
    pub fn new<'a>(
        images: impl IntoIterator<Item = (&'a ImageSpecification, Digest)>,
        patterns: impl IntoIterator<Item = LockedPattern>,
    ) -> Self {
        let images = images.into_iter();
        let images = images.map(|(image, digest)| {
            let locked = LockedImage {
                source: image.source.to_string(),
                platforms: names(&image.platforms),
                digest,
            };
            (destination(image), locked)
        });
        Self {
            version: VERSION,
            images: images.collect(),
            patterns: patterns.into_iter().collect(),
        }
    }

    /// The specification with every source pinned to the digest that it has here, and with the tags
    /// that patterns chose then. What one of them has and the other lacks, or has otherwise, is
    /// told in one error; `name` is the lock's.
    pub fn pin(
        &self,
        name: &str,
        mut specification: Specification,
    ) -> Result<Specification, LockError> {
        let mut differences = BTreeSet::new();
        let mut expansions = Vec::new();
        let mut unused: BTreeSet<&LockedPattern> = self.patterns.iter().collect();
        // Images of a pattern that differs as a whole are not told one by one.
        let mut told: BTreeSet<String> = BTreeSet::new();
        for pattern in &specification.patterns {
            let written = LockedPattern::new(pattern, Vec::new());
            match self.patterns.iter().find(|one| one.is_like(&written)) {
                Some(locked) => {
                    unused.remove(locked);
                    expansions.extend(pattern.images(&locked.chosen));
                }
                None => {
                    differences.insert(format!("{written} is not in the lock"));
                }
            }
        }
        for pattern in unused {
            differences.insert(format!("{pattern} is not in the configuration any more"));
            let chosen = pattern.chosen.iter();
            told.extend(chosen.map(|tag| format!("{}:{tag}", pattern.repository)));
        }
        specification = specification.expanded(expansions)?;
        for image in &mut specification.images {
            let destination = destination(image);
            match self.images.get(&destination) {
                None => {
                    differences.insert(format!("`{destination}` is not in the lock"));
                }
                Some(locked) => {
                    differences.extend(locked.differences(&destination, image));
                    let tag = image.source.tag().cloned();
                    image.source = image.source.with(tag, Some(locked.digest.clone()));
                }
            }
            told.insert(destination);
        }
        for destination in self.images.keys().filter(|name| !told.contains(*name)) {
            differences.insert(format!(
                "`{destination}` is not in the configuration any more"
            ));
        }
        if differences.is_empty() {
            return Ok(specification);
        }
        Err(LockError::Stale {
            name: name.to_owned(),
            differences: differences.into_iter().collect(),
        })
    }
}

impl LockedImage {
    fn differences(&self, destination: &str, image: &ImageSpecification) -> Vec<String> {
        let mut differences = Vec::new();
        let source = image.source.to_string();
        if self.source != source {
            differences.push(format!(
                "`{destination}` was locked from `{}` and comes from `{source}` now",
                self.source
            ));
        }
        let platforms = names(&image.platforms);
        if self.platforms != platforms {
            let told = |platforms: &Option<BTreeSet<String>>| match platforms {
                Some(list) => list
                    .iter()
                    .map(String::as_str)
                    .collect::<Vec<_>>()
                    .join(", "),
                None => "no choice of platforms".to_owned(),
            };
            let (then, now) = (told(&self.platforms), told(&platforms));
            differences.push(format!(
                "`{destination}` was locked with {then} and has {now} now"
            ));
        }
        differences
    }
}

impl LockedPattern {
    /// What a pattern chose.
    pub fn new(pattern: &ImagePattern, chosen: Vec<Tag>) -> Self {
        Self {
            repository: pattern.repository().to_string(),
            source: pattern.source().to_string(),
            rules: Rules::of(pattern.selection()),
            chosen,
        }
    }

    /// Whether both are of the same entry, whatever they chose.
    fn is_like(&self, other: &Self) -> bool {
        let Self {
            repository,
            source,
            rules,
            chosen: _,
        } = self;
        *repository == other.repository && *source == other.source && *rules == other.rules
    }
}

impl fmt::Display for LockedPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rules {
            include,
            semver,
            exclude,
            newest,
        } = &self.rules;
        write!(
            formatter,
            "the choice of `{}` for `{}` (tags like `{}`",
            self.source,
            self.repository,
            include.join("`, `")
        )?;
        if let Some(semver) = semver {
            write!(formatter, ", `semver: {semver}`")?;
        }
        if !exclude.is_empty() {
            write!(formatter, ", without `{}`", exclude.join("`, `"))?;
        }
        if let Some(newest) = newest {
            write!(formatter, ", `newest: {newest}`")?;
        }
        formatter.write_str(")")
    }
}

impl Rules {
    fn of(selection: &TagSelection) -> Self {
        let texts = |patterns: &[_]| patterns.iter().map(ToString::to_string).collect();
        Self {
            include: texts(&selection.patterns),
            semver: selection.semver.as_ref().map(ToString::to_string),
            exclude: texts(&selection.exclude),
            newest: selection.newest,
        }
    }
}

fn names(platforms: &Platforms) -> Option<BTreeSet<String>> {
    let chosen = platforms.chosen()?;
    Some(chosen.iter().map(ToString::to_string).collect())
}

fn destination(image: &ImageSpecification) -> String {
    format!("{}:{}", image.repository, image.tag)
}
