//! Plans and outcomes as one JSON object, which `docs/commands.md` documents.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::config::Partition;
use crate::image::{Digest, Repository};
use crate::pipeline::{ImageOutcome, ImagePlan, Outcome, Plan, Status, Unlisted};

use super::error_json::ErrorObject;
use super::table::action_word;
use super::traffic_json::TrafficObject;
use super::upkeep_json::{DriftObject, OrphanObject};

/// The version of the object. It grows with every change that could break a reader.
pub(super) const VERSION: u8 = 1;

/// A word of longshore's own, or one that was read from a report.
pub(super) type Word = Cow<'static, str>;

/// The part of a file that a report is about.
#[derive(Deserialize, Serialize)]
pub struct PartitionObject {
    pub(super) index: usize,
    pub(super) count: usize,
    pub(super) of: Digest,
}

impl PartitionObject {
    /// `of` is the fingerprint of what all parts are of.
    pub fn new(partition: Partition, of: Digest) -> Self {
        Self {
            index: partition.index(),
            count: partition.count().get(),
            of,
        }
    }
}

/// A plan as one JSON object.
#[derive(Deserialize, Serialize)]
pub struct PlanObject {
    pub(super) version: u8,
    pub(super) command: Word,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) partition: Option<PartitionObject>,
    pub(super) repositories_to_create: Vec<String>,
    pub(super) summary: PlanSummary,
    pub(super) unlisted: Vec<UnlistedObject>,
    pub(super) images: Vec<ImageObject>,
    pub(super) drift: Vec<DriftObject>,
    orphans: Option<Vec<OrphanObject>>,
}

#[derive(Deserialize, Serialize)]
pub(super) struct PlanSummary {
    pub(super) build: usize,
    pub(super) derive: usize,
    pub(super) copy: usize,
    in_place: usize,
    skipped: usize,
    pub(super) failed: usize,
}

/// An outcome as one JSON object.
#[derive(Deserialize, Serialize)]
pub struct OutcomeObject {
    pub(super) version: u8,
    pub(super) command: Word,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) partition: Option<PartitionObject>,
    pub(super) repositories_created: Vec<String>,
    pub(super) summary: OutcomeSummary,
    pub(super) unlisted: Vec<UnlistedObject>,
    pub(super) images: Vec<ImageObject>,
    pub(super) drift: Vec<DriftObject>,
    orphans: Option<Vec<OrphanObject>>,
}

#[derive(Deserialize, Serialize)]
pub(super) struct OutcomeSummary {
    done: usize,
    in_place: usize,
    skipped: usize,
    pub(super) failed: usize,
    #[serde(flatten)]
    traffic: TrafficObject,
}

#[derive(Deserialize, Serialize)]
pub(super) struct ImageObject {
    source: String,
    source_digest: Option<Digest>,
    destination: String,
    digest: Option<Digest>,
    action: Word,
    reason: Option<String>,
    pub(super) status: Word,
    seconds: Option<f64>,
    #[serde(flatten)]
    traffic: TrafficObject,
    pub(super) error: Option<ErrorObject>,
}

/// A repository whose tags could not be listed.
#[derive(Deserialize, Serialize)]
pub(super) struct UnlistedObject {
    pub(super) source: String,
    pub(super) error: ErrorObject,
}

impl UnlistedObject {
    fn new(unlisted: &Unlisted) -> Self {
        Self {
            source: unlisted.source.to_string(),
            error: ErrorObject::new(&unlisted.error),
        }
    }
}

impl PlanObject {
    /// A plan, or the part of one.
    pub fn new(plan: &Plan, partition: Option<PartitionObject>) -> Self {
        let images: Vec<ImageObject> = plan.images.iter().map(ImageObject::planned).collect();
        let count = |actions: &[&str]| {
            images
                .iter()
                .filter(|image| actions.contains(&&*image.action))
                .count()
        };
        let drift = DriftObject::planned(plan);
        let orphans = OrphanObject::planned(plan);
        let summary = PlanSummary {
            build: count(&["build"]),
            derive: count(&["derive"]),
            copy: count(&["copy"]),
            in_place: count(&["in place"]),
            skipped: count(&["keep", "skip"]),
            failed: count(&["error"])
                + plan.unlisted.len()
                + others_failed(&drift, orphans.as_ref()),
        };
        Self {
            version: VERSION,
            command: "plan".into(),
            partition,
            repositories_to_create: names(&plan.create),
            summary,
            unlisted: plan.unlisted.iter().map(UnlistedObject::new).collect(),
            images,
            drift,
            orphans,
        }
    }
}

impl OutcomeObject {
    /// The outcome of a command, or of a part of it.
    pub fn new(
        command: &'static str,
        outcome: &Outcome,
        partition: Option<PartitionObject>,
    ) -> Self {
        let images = outcome.images.iter();
        let images: Vec<ImageObject> = images
            .map(|image| ImageObject::planned(&image.plan).became(image))
            .collect();
        let count = |status| images.iter().filter(|image| image.status == status).count();
        let drift = DriftObject::done(outcome);
        let orphans = OrphanObject::done(outcome);
        let summary = OutcomeSummary {
            done: count("done"),
            in_place: count("in place"),
            skipped: count("skipped"),
            failed: count("failed")
                + outcome.unlisted.len()
                + others_failed(&drift, orphans.as_ref()),
            traffic: TrafficObject::new(Some(outcome.traffic())),
        };
        let repositories_created = names(&outcome.created);
        Self {
            version: VERSION,
            command: command.into(),
            partition,
            repositories_created,
            summary,
            unlisted: outcome.unlisted.iter().map(UnlistedObject::new).collect(),
            images,
            drift,
            orphans,
        }
    }
}

impl ImageObject {
    fn planned(plan: &ImagePlan) -> Self {
        let (action, reason, error) = match &plan.decision {
            Ok(decision) => (
                action_word(&decision.action).into(),
                Some(decision.reason.to_string()),
                None,
            ),
            Err(error) => ("error".into(), None, Some(ErrorObject::new(error))),
        };
        Self {
            source: plan.image.source.to_string(),
            source_digest: plan.source_digest.clone(),
            destination: plan.destination.to_string(),
            digest: plan.held.clone(),
            action,
            reason,
            status: if error.is_some() { "failed" } else { "planned" }.into(),
            seconds: None,
            traffic: TrafficObject::new(None),
            error,
        }
    }

    fn became(self, outcome: &ImageOutcome) -> Self {
        let planned = Self {
            traffic: TrafficObject::new(outcome.traffic),
            ..self
        };
        planned.with_status(&outcome.status)
    }

    fn with_status(self, status: &Status) -> Self {
        match status {
            Status::Done { digest, elapsed } => Self {
                digest: Some(digest.clone()),
                status: "done".into(),
                seconds: Some(elapsed.as_secs_f64()),
                ..self
            },
            Status::InPlace { .. } => Self {
                status: "in place".into(),
                ..self
            },
            Status::Left => Self {
                status: "skipped".into(),
                ..self
            },
            Status::Failed(error) => Self {
                status: "failed".into(),
                error: Some(ErrorObject::new(error)),
                ..self
            },
        }
    }
}

impl PlanSummary {
    pub(super) fn add(&mut self, other: &Self) {
        self.build += other.build;
        self.derive += other.derive;
        self.copy += other.copy;
        self.in_place += other.in_place;
        self.skipped += other.skipped;
        self.failed += other.failed;
    }
}

impl OutcomeSummary {
    pub(super) fn add(&mut self, other: Self) {
        self.done += other.done;
        self.in_place += other.in_place;
        self.skipped += other.skipped;
        self.failed += other.failed;
        self.traffic.add(other.traffic);
    }
}

/// How much failed beside the images.
fn others_failed(drift: &[DriftObject], orphans: Option<&Vec<OrphanObject>>) -> usize {
    let orphans = orphans.into_iter().flatten();
    drift.iter().filter(|it| it.is_failed()).count() + orphans.filter(|it| it.is_failed()).count()
}

fn names(repositories: &[Repository]) -> Vec<String> {
    repositories.iter().map(ToString::to_string).collect()
}
