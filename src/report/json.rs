//! Plans, outcomes and errors as one documented JSON object, see `docs/commands.md`.

use serde::Serialize;
use serde_json::{Value, json};

use crate::failure::{Failure, Kind, chain};
use crate::image::Digest;
use crate::pipeline::{ImagePlan, Outcome, Plan, Status, StepError};

use super::table::action_word;

/// The version of the object. It grows with every change that could break a reader.
const VERSION: u8 = 1;

#[derive(Serialize)]
struct Image {
    source: String,
    source_digest: Option<Digest>,
    destination: String,
    /// What the destination tag holds, as far as that is known.
    digest: Option<Digest>,
    action: &'static str,
    reason: Option<String>,
    status: &'static str,
    seconds: Option<f64>,
    error: Option<Value>,
}

/// A plan as JSON.
pub fn plan_json(plan: &Plan) -> Value {
    let images: Vec<Image> = plan.images.iter().map(planned).collect();
    let failed = images.iter().filter(|image| image.error.is_some()).count();
    let build = images
        .iter()
        .filter(|image| image.action == "build")
        .count();
    json!({
        "version": VERSION,
        "command": "plan",
        "repositories_to_create": plan.create.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "summary": { "build": build, "unchanged": images.len() - build - failed, "failed": failed },
        "images": images,
    })
}

/// An outcome as JSON.
pub fn outcome_json(command: &str, outcome: &Outcome) -> Value {
    let images: Vec<Image> = outcome
        .images
        .iter()
        .map(|image| {
            let planned = planned(&image.plan);
            match &image.status {
                Status::Done { digest, elapsed } => Image {
                    digest: Some(digest.clone()),
                    status: "done",
                    seconds: Some(elapsed.as_secs_f64()),
                    ..planned
                },
                Status::InPlace { .. } => Image {
                    status: "in place",
                    ..planned
                },
                Status::Left => Image {
                    status: "skipped",
                    ..planned
                },
                Status::Failed(error) => Image {
                    status: "failed",
                    error: Some(step_error(error)),
                    ..planned
                },
            }
        })
        .collect();
    let count = |status| images.iter().filter(|image| image.status == status).count();
    json!({
        "version": VERSION,
        "command": command,
        "repositories_created": outcome.created.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "summary": {
            "done": count("done"),
            "in_place": count("in place"),
            "skipped": count("skipped"),
            "failed": count("failed"),
        },
        "images": images,
    })
}

/// An error that kept a command from beginning, as JSON.
pub fn error_json(command: &str, message: &str, kind: &str, hint: Option<&str>) -> Value {
    json!({
        "version": VERSION,
        "command": command,
        "error": { "kind": kind, "message": message, "hint": hint },
    })
}

fn planned(plan: &ImagePlan) -> Image {
    let (action, reason, error) = match &plan.decision {
        Ok(decision) => (
            action_word(&decision.action),
            Some(decision.reason.to_string()),
            None,
        ),
        Err(error) => ("none", None, Some(step_error(error))),
    };
    Image {
        source: plan.image.source.to_string(),
        source_digest: plan.source_digest.clone(),
        destination: plan.destination.to_string(),
        digest: plan.held().cloned(),
        action,
        reason,
        status: if error.is_some() { "failed" } else { "planned" },
        seconds: None,
        error,
    }
}

fn step_error(error: &StepError) -> Value {
    json!({ "kind": kind_word(error.kind()), "message": chain(error), "hint": error.hint() })
}

fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Refused => "refused",
        Kind::Unreachable => "unreachable",
        Kind::Transient => "transient",
        Kind::Conflict => "conflict",
        Kind::Permanent => "permanent",
    }
}
