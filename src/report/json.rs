//! Plans, outcomes and errors as one JSON object, which `docs/commands.md` documents.

use serde::Serialize;

use crate::failure::{Failure, chain};
use crate::image::{Digest, Repository};
use crate::pipeline::{ImageOutcome, ImagePlan, Outcome, Plan, Status, Traffic, Unlisted};

use super::table::action_word;
use super::upkeep_json::{DriftObject, OrphanObject};

/// The version of the object. It grows with every change that could break a reader.
pub(super) const VERSION: u8 = 1;

/// A plan as one JSON object.
#[derive(Serialize)]
pub struct PlanObject {
    version: u8,
    command: &'static str,
    repositories_to_create: Vec<String>,
    summary: PlanSummary,
    unlisted: Vec<UnlistedObject>,
    images: Vec<ImageObject>,
    drift: Vec<DriftObject>,
    orphans: Option<Vec<OrphanObject>>,
}

#[derive(Serialize)]
struct PlanSummary {
    build: usize,
    derive: usize,
    copy: usize,
    in_place: usize,
    skipped: usize,
    failed: usize,
}

/// An outcome as one JSON object.
#[derive(Serialize)]
pub struct OutcomeObject {
    version: u8,
    command: &'static str,
    repositories_created: Vec<String>,
    summary: OutcomeSummary,
    unlisted: Vec<UnlistedObject>,
    images: Vec<ImageObject>,
    drift: Vec<DriftObject>,
    orphans: Option<Vec<OrphanObject>>,
}

#[derive(Serialize)]
struct OutcomeSummary {
    done: usize,
    in_place: usize,
    skipped: usize,
    failed: usize,
    #[serde(flatten)]
    traffic: TrafficObject,
}

/// What copying took.
#[derive(Serialize)]
struct TrafficObject {
    bytes: Option<u64>,
    requests: Option<RequestsObject>,
    blobs: Option<BlobsObject>,
}

#[derive(Serialize)]
struct RequestsObject {
    source: u64,
    destination: u64,
}

#[derive(Serialize)]
struct BlobsObject {
    copied: u64,
    mounted: u64,
    skipped: u64,
}

#[derive(Serialize)]
struct ImageObject {
    source: String,
    source_digest: Option<Digest>,
    destination: String,
    digest: Option<Digest>,
    action: &'static str,
    reason: Option<String>,
    status: &'static str,
    seconds: Option<f64>,
    #[serde(flatten)]
    traffic: TrafficObject,
    error: Option<ErrorObject>,
}

/// A repository whose tags could not be listed.
#[derive(Serialize)]
struct UnlistedObject {
    source: String,
    error: ErrorObject,
}

impl UnlistedObject {
    fn new(unlisted: &Unlisted) -> Self {
        Self {
            source: unlisted.source.to_string(),
            error: ErrorObject::new(&unlisted.error),
        }
    }
}

/// An error that kept a command from beginning, as one JSON object.
#[derive(Serialize)]
pub struct FailureObject {
    version: u8,
    command: &'static str,
    error: ErrorObject,
}

#[derive(Serialize)]
pub(super) struct ErrorObject {
    kind: &'static str,
    message: String,
    hint: Option<String>,
}

impl PlanObject {
    /// A plan.
    pub fn new(plan: &Plan) -> Self {
        let images: Vec<ImageObject> = plan.images.iter().map(ImageObject::planned).collect();
        let count = |actions: &[&str]| {
            images
                .iter()
                .filter(|image| actions.contains(&image.action))
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
            command: "plan",
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
    /// The outcome of a command.
    pub fn new(command: &'static str, outcome: &Outcome) -> Self {
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
            command,
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
                action_word(&decision.action),
                Some(decision.reason.to_string()),
                None,
            ),
            Err(error) => ("error", None, Some(ErrorObject::new(error))),
        };
        Self {
            source: plan.image.source.to_string(),
            source_digest: plan.source_digest.clone(),
            destination: plan.destination.to_string(),
            digest: plan.held.clone(),
            action,
            reason,
            status: if error.is_some() { "failed" } else { "planned" },
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
                status: "done",
                seconds: Some(elapsed.as_secs_f64()),
                ..self
            },
            Status::InPlace { .. } => Self {
                status: "in place",
                ..self
            },
            Status::Left => Self {
                status: "skipped",
                ..self
            },
            Status::Failed(error) => Self {
                status: "failed",
                error: Some(ErrorObject::new(error)),
                ..self
            },
        }
    }
}

impl TrafficObject {
    fn new(traffic: Option<Traffic>) -> Self {
        Self {
            bytes: traffic.map(|it| it.bytes),
            requests: traffic.map(|it| RequestsObject {
                source: it.source_requests,
                destination: it.destination_requests,
            }),
            blobs: traffic.map(|it| BlobsObject {
                copied: it.copied,
                mounted: it.mounted,
                skipped: it.skipped,
            }),
        }
    }
}

impl FailureObject {
    /// An error of this kind, in the words of its exit code.
    pub fn new(
        command: &'static str,
        kind: &'static str,
        message: String,
        hint: Option<String>,
    ) -> Self {
        Self {
            version: VERSION,
            command,
            error: ErrorObject {
                kind,
                message,
                hint,
            },
        }
    }
}

impl ErrorObject {
    pub(super) fn new(error: &impl Failure) -> Self {
        let kind = error.kind().as_str();
        Self {
            kind,
            message: chain(error),
            hint: error.hint(),
        }
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
