//! What plans and outcomes say beyond their images, as parts of the JSON object.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::ecr::{Difference, Encryption, TagMutability};
use crate::image::{Digest, Repository, Tag};
use crate::pipeline::{Concern, Drift, Fate, Outcome, Plan, Pruned, Repair, StepError};

use super::error_json::ErrorObject;
use super::json::Word;
use super::upkeep_table::{drift_word, orphan_word};

/// A setting of a repository that is not what the file says.
#[derive(Deserialize, Serialize)]
pub(super) struct DriftObject {
    repository: String,
    setting: Word,
    found: Value,
    wanted: Value,
    action: Word,
    reason: Option<String>,
    status: Word,
    error: Option<ErrorObject>,
}

/// Something that the file no longer names.
#[derive(Deserialize, Serialize)]
pub(super) struct OrphanObject {
    kind: Word,
    name: Option<String>,
    digest: Option<Digest>,
    action: Word,
    status: Word,
    error: Option<ErrorObject>,
}

impl DriftObject {
    /// Of a plan.
    pub(super) fn planned(plan: &Plan) -> Vec<Self> {
        let repairs = plan.choices.drift == Concern::Changed;
        let drift = plan.drift.iter();
        drift.map(|drift| Self::new(drift, repairs)).collect()
    }

    /// Of an outcome.
    pub(super) fn done(outcome: &Outcome) -> Vec<Self> {
        let became = |repair: &Repair| {
            let planned = Self::new(&repair.drift, true);
            let error = repair.result.as_ref().err().map(ErrorObject::new);
            Self {
                status: if error.is_some() { "failed" } else { "updated" }.into(),
                error,
                ..planned
            }
        };
        outcome.repairs.iter().map(became).collect()
    }

    fn new(drift: &Drift, repairs: bool) -> Self {
        let difference = drift.difference.as_ref().ok();
        let (found, wanted) = difference.map_or((Value::Null, Value::Null), values);
        let obstacle = drift.obstacle();
        let fails = repairs && obstacle.is_some();
        Self {
            repository: drift.repository.to_string(),
            setting: drift.setting.into(),
            found,
            wanted,
            action: if fails { "error" } else { drift_word(repairs) }.into(),
            reason: difference.map(ToString::to_string),
            status: if fails { "failed" } else { "planned" }.into(),
            error: obstacle.as_ref().map(ErrorObject::new),
        }
    }

    pub(super) fn is_failed(&self) -> bool {
        self.status == "failed"
    }

    /// Whether applying the plan would change the setting.
    pub(super) fn is_update(&self) -> bool {
        self.action == "update"
    }

    pub(super) fn repository(&self) -> &str {
        &self.repository
    }

    pub(super) fn error(&self) -> Option<&ErrorObject> {
        self.error.as_ref()
    }
}

impl OrphanObject {
    /// Of a plan.
    pub(super) fn planned(plan: &Plan) -> Option<Vec<Self>> {
        let orphans = match plan.orphans.as_ref()? {
            Ok(orphans) => orphans,
            Err(error) => return Some(vec![Self::unknown(error)]),
        };
        let action = orphan_word(plan.prunes());
        let mut objects = Vec::new();
        for orphan in orphans {
            let row = |tag: Option<(&Tag, &Digest)>| {
                Self::new(&orphan.repository, tag, (action, "planned"))
            };
            objects.extend(orphan.tags.iter().map(|tag| row(Some(tag))));
            objects.extend(orphan.is_whole.then(|| row(None)));
        }
        Some(objects)
    }

    /// Of an outcome.
    pub(super) fn done(outcome: &Outcome) -> Option<Vec<Self>> {
        let became = |pruned: &Pruned| {
            let (words, error) = match &pruned.fate {
                Fate::Deleted => (("delete", "deleted"), None),
                Fate::Left => (("orphan", "orphan"), None),
                Fate::Failed(error) => (("delete", "failed"), Some(ErrorObject::new(error))),
            };
            let tag = pruned.tag.as_ref().map(|(tag, digest)| (tag, digest));
            Self {
                error,
                ..Self::new(&pruned.repository, tag, words)
            }
        };
        Some(match outcome.pruned.as_ref()? {
            Ok(pruned) => pruned.iter().map(became).collect(),
            Err(error) => vec![Self::unknown(error)],
        })
    }

    fn new(
        repository: &Repository,
        tag: Option<(&Tag, &Digest)>,
        (action, status): (&'static str, &'static str),
    ) -> Self {
        let (kind, name) = match tag {
            Some((tag, _)) => ("tag", format!("{repository}:{tag}")),
            None => ("repository", repository.to_string()),
        };
        Self {
            kind: kind.into(),
            name: Some(name),
            digest: tag.map(|(_, digest)| digest.clone()),
            action: action.into(),
            status: status.into(),
            error: None,
        }
    }

    /// In the place of all: nobody knows what there is.
    fn unknown(error: &StepError) -> Self {
        Self {
            kind: "namespace".into(),
            name: None,
            digest: None,
            action: "error".into(),
            status: "failed".into(),
            error: Some(ErrorObject::new(error)),
        }
    }

    pub(super) fn is_failed(&self) -> bool {
        self.status == "failed"
    }
}

/// What there is and what there shall be, as the file would say it.
fn values(difference: &Difference) -> (Value, Value) {
    match difference {
        Difference::TagMutability { found, wanted } => (immutability(found), immutability(wanted)),
        Difference::ScanOnPush { found, wanted } => (json!(found), json!(wanted)),
        Difference::Encryption { found, wanted } => (encryption(found), encryption(wanted)),
        Difference::LifecyclePolicy { found, wanted } | Difference::Policy { found, wanted } => {
            let found = found.as_deref().map_or(Value::Null, policy);
            (found, policy(wanted))
        }
        Difference::Tags { found, wanted } => (json!(found), json!(wanted)),
    }
}

fn immutability(mutability: &TagMutability) -> Value {
    match mutability {
        TagMutability::Mutable => json!(false),
        TagMutability::Immutable { except } if except.is_empty() => json!(true),
        TagMutability::Immutable { except } => json!(except),
        // The file has no word for it.
        TagMutability::MutableExcept { immutable } => json!({"immutable": immutable}),
    }
}

fn encryption(encryption: &Encryption) -> Value {
    match encryption {
        Encryption::Aes256 => json!("AES256"),
        Encryption::Kms { key_arn } => json!({"kms_key_arn": key_arn}),
    }
}

/// A policy as it is; as a text where it is no JSON.
fn policy(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
}
