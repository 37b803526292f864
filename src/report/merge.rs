//! The reports of all partitions as one, in the shape of a single run's.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::failure::{Failure, Kind};

use super::error_json::ErrorObject;
use super::json::{OutcomeObject, PartitionObject, PlanObject, UnlistedObject, VERSION};
use super::merge_error::MergeError;
use super::upkeep_json::DriftObject;

/// The reports of all partitions as one, in the shape of a single run's.
#[derive(Serialize)]
#[serde(untagged)]
pub enum MergedReport {
    /// Of `plan`.
    Plan(PlanObject),
    /// Of `apply`.
    Outcome(OutcomeObject),
}

/// What every report has, also one of a run that never began.
#[derive(Deserialize)]
struct Head {
    version: u8,
    command: String,
    partition: Option<PartitionObject>,
    error: Option<ErrorObject>,
}

/// One partition's report.
struct Part {
    path: PathBuf,
    text: String,
    command: String,
    partition: PartitionObject,
}

impl MergedReport {
    /// Reads the reports of all partitions, each of them once and in any order, and joins them.
    pub fn read(paths: &[PathBuf]) -> Result<Self, MergeError> {
        let mut parts = read(paths)?;
        parts.sort_by_key(|part| part.partition.index);
        check(&parts)?;
        if parts.iter().all(|part| part.command == "plan") {
            let mut plan = join(&parts, PlanObject::add)?;
            plan.partition = None;
            Ok(Self::Plan(plan))
        } else {
            let mut outcome = join(&parts, OutcomeObject::add)?;
            outcome.partition = None;
            Ok(Self::Outcome(outcome))
        }
    }

    /// The kind of each failure.
    pub fn failures(&self) -> impl Iterator<Item = Kind> {
        let (images, unlisted, drift) = match self {
            Self::Plan(it) => (&it.images, &it.unlisted, &it.drift),
            Self::Outcome(it) => (&it.images, &it.unlisted, &it.drift),
        };
        let images = images.iter().filter(|image| image.status == "failed");
        let images = images.filter_map(|image| image.error.as_ref());
        let unlisted = unlisted.iter().map(|it| &it.error);
        let drift = drift.iter().filter(|drift| drift.is_failed());
        let drift = drift.filter_map(DriftObject::error);
        images.chain(unlisted).chain(drift).map(ErrorObject::kind)
    }

    /// Whether anything is in place or left as wished, or could be.
    pub fn has_done_anything(&self) -> bool {
        match self {
            Self::Plan(plan) => plan.images.iter().any(|image| image.status != "failed"),
            Self::Outcome(outcome) => {
                let mut images = outcome.images.iter();
                images.any(|image| image.status != "failed")
                    || outcome.drift.iter().any(|drift| !drift.is_failed())
            }
        }
    }

    /// Whether applying a plan would change something.
    pub fn has_changes(&self) -> bool {
        match self {
            Self::Plan(plan) => {
                let summary = &plan.summary;
                summary.build + summary.derive + summary.copy > 0
                    || plan.drift.iter().any(DriftObject::is_update)
            }
            Self::Outcome(_) => false,
        }
    }
}

/// Reads all reports. Where none of the runs began, and all for reasons of one kind, so would one
/// run have failed; otherwise only a part of it failed.
fn read(paths: &[PathBuf]) -> Result<Vec<Part>, MergeError> {
    let parts: Vec<_> = paths.iter().map(|path| Part::read(path)).collect();
    let mut kinds = parts
        .iter()
        .map(|part| part.as_ref().err().map(Failure::kind));
    let first = kinds.next();
    let is_common = kinds.all(|kind| Some(kind) == first);
    let parts: Result<Vec<Part>, _> = parts.into_iter().collect();
    parts.map_err(|mut error| {
        if let MergeError::NeverBegan { kind, .. } = &mut error
            && !is_common
        {
            *kind = Kind::Permanent;
        }
        error
    })
}

impl Part {
    fn read(path: &Path) -> Result<Self, MergeError> {
        let path = path.to_owned();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(source) => return Err(MergeError::Unreadable { path, source }),
        };
        let head: Head = match serde_json::from_str(&text) {
            Ok(head) => head,
            Err(source) => return Err(MergeError::Malformed { path, source }),
        };
        if head.version != VERSION {
            let version = head.version;
            return Err(MergeError::Version { path, version });
        }
        if let Some(error) = head.error {
            return Err(MergeError::NeverBegan {
                path,
                kind: error.kind(),
                message: error.message,
                hint: error.hint,
            });
        }
        match head.partition {
            Some(partition) => Ok(Self {
                path,
                text,
                command: head.command,
                partition,
            }),
            None => Err(MergeError::Whole { path }),
        }
    }
}

/// Whether these are the reports of all partitions of one file; they are in the partitions' order.
fn check(parts: &[Part]) -> Result<(), MergeError> {
    for pair in parts.windows(2) {
        let [one, other] = pair else { continue };
        let different = [
            (one.command != other.command, "commands"),
            (
                one.partition.count != other.partition.count,
                "numbers of partitions",
            ),
            (one.partition.of != other.partition.of, "images"),
        ];
        let paths = || [one.path.clone(), other.path.clone()];
        if let Some((_, what)) = different.into_iter().find(|(differs, _)| *differs) {
            let [one, other] = paths();
            return Err(MergeError::Different { one, other, what });
        }
        if one.partition.index == other.partition.index {
            let ([one, other], index) = (paths(), other.partition.index);
            return Err(MergeError::Doubled { one, other, index });
        }
    }
    let count = parts.first().map_or(0, |part| part.partition.count);
    let present: BTreeSet<usize> = parts.iter().map(|part| part.partition.index).collect();
    let missing: Vec<usize> = (1..=count).filter(|it| !present.contains(it)).collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(MergeError::Missing { missing, count })
    }
}

fn join<T: for<'a> Deserialize<'a>>(
    parts: &[Part],
    add: impl Fn(&mut T, T),
) -> Result<T, MergeError> {
    let mut objects = parts.iter().map(|part| {
        serde_json::from_str(&part.text).map_err(|source| MergeError::Malformed {
            path: part.path.clone(),
            source,
        })
    });
    let mut joined: T = objects.next().ok_or(MergeError::Nothing)??;
    for object in objects {
        add(&mut joined, object?);
    }
    Ok(joined)
}

impl PlanObject {
    fn add(&mut self, other: Self) {
        add_names(
            &mut self.repositories_to_create,
            other.repositories_to_create,
        );
        let known = add_unlisted(&mut self.unlisted, other.unlisted);
        self.summary.add(&other.summary);
        self.summary.failed -= known;
        self.images.extend(other.images);
        add_drift(&mut self.drift, other.drift);
    }
}

impl OutcomeObject {
    fn add(&mut self, other: Self) {
        add_names(&mut self.repositories_created, other.repositories_created);
        let known = add_unlisted(&mut self.unlisted, other.unlisted);
        self.summary.add(other.summary);
        self.summary.failed -= known;
        self.images.extend(other.images);
        add_drift(&mut self.drift, other.drift);
    }
}

fn add_names(names: &mut Vec<String>, others: Vec<String>) {
    names.extend(others);
    names.sort_unstable();
}

fn add_drift(drift: &mut Vec<DriftObject>, others: Vec<DriftObject>) {
    drift.extend(others);
    drift.sort_by(|one, other| one.repository().cmp(other.repository()));
}

/// Returns how many of the others were known: a source that two partitions list counts once.
fn add_unlisted(unlisted: &mut Vec<UnlistedObject>, others: Vec<UnlistedObject>) -> usize {
    let before = unlisted.len() + others.len();
    unlisted.extend(others);
    unlisted.sort_by(|one, other| one.source.cmp(&other.source));
    unlisted.dedup_by(|one, other| one.source == other.source);
    before - unlisted.len()
}
