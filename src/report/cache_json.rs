//! The pull-through cache as one JSON object, which `docs/commands.md` documents.

use serde::Serialize;

use crate::cache::{Action, CacheUrl, Done, Item, Outcome, Part, Plan, Validation};

use super::cache_table::{action_word, answer_text, cache_reason, done_word, part_word};
use super::error_json::ErrorObject;
use super::json::VERSION;

/// A plan of the cache as one JSON object.
#[derive(Serialize)]
pub struct CachePlanObject {
    version: u8,
    command: &'static str,
    items: Vec<ItemObject>,
}

/// What became of such a plan, as one JSON object.
#[derive(Serialize)]
pub struct CacheOutcomeObject {
    version: u8,
    command: &'static str,
    items: Vec<ItemObject>,
    validations: Vec<ValidationObject>,
}

/// What to pull by, as one JSON object.
#[derive(Serialize)]
pub struct CacheUrlsObject {
    version: u8,
    command: &'static str,
    urls: Vec<UrlObject>,
}

#[derive(Serialize)]
struct ItemObject {
    prefix: Option<String>,
    kind: &'static str,
    name: String,
    action: &'static str,
    changes: Vec<&'static str>,
    reason: Option<String>,
    status: &'static str,
    error: Option<ErrorObject>,
}

#[derive(Serialize)]
struct ValidationObject {
    prefix: String,
    upstream: String,
    valid: bool,
    answer: Option<&'static str>,
    error: Option<ErrorObject>,
}

#[derive(Serialize)]
struct UrlObject {
    prefix: String,
    upstream: String,
    image: Option<String>,
    url: String,
}

impl CachePlanObject {
    /// A plan.
    pub fn new(plan: &Plan) -> Self {
        let item = |item: &Item| {
            let (action, changes) = match &item.decision {
                Ok(decision) => (Some(decision.action), &decision.changes[..]),
                Err(_) => (None, &[][..]),
            };
            let error = item.decision.as_ref().err().map(ErrorObject::new);
            let status = if error.is_some() { "failed" } else { "planned" };
            let prefix = item.prefix.clone();
            ItemObject::new(
                prefix,
                item.part,
                &item.name,
                (action, changes),
                status,
                error,
            )
        };
        Self {
            version: VERSION,
            command: "cache plan",
            items: plan.items.iter().map(item).collect(),
        }
    }
}

impl CacheOutcomeObject {
    /// What became of a plan.
    pub fn new(outcome: &Outcome) -> Self {
        let item = |item: &Done| {
            let error = item.result.as_ref().err().map(ErrorObject::new);
            let status = match (&error, item.action) {
                (None, Some(action)) => done_word(action),
                _ => "failed",
            };
            let (prefix, decision) = (item.prefix.clone(), (item.action, &item.changes[..]));
            ItemObject::new(prefix, item.part, &item.name, decision, status, error)
        };
        let validation = |validation: &Validation| ValidationObject {
            prefix: validation.prefix.clone(),
            upstream: validation.upstream.clone(),
            valid: validation.answer.is_ok(),
            answer: validation.answer.as_ref().ok().map(|it| answer_text(*it)),
            error: validation.answer.as_ref().err().map(ErrorObject::new),
        };
        Self {
            version: VERSION,
            command: "cache apply",
            items: outcome.items.iter().map(item).collect(),
            validations: outcome.validations.iter().map(validation).collect(),
        }
    }
}

impl CacheUrlsObject {
    /// What to pull by.
    pub fn new(urls: &[CacheUrl]) -> Self {
        let url = |url: &CacheUrl| UrlObject {
            prefix: url.prefix.clone(),
            upstream: url.upstream.clone(),
            image: url.image.as_ref().map(ToString::to_string),
            url: url.url.clone(),
        };
        Self {
            version: VERSION,
            command: "cache urls",
            urls: urls.iter().map(url).collect(),
        }
    }
}

impl ItemObject {
    fn new(
        prefix: Option<String>,
        part: Part,
        name: &str,
        (action, changes): (Option<Action>, &[&'static str]),
        status: &'static str,
        error: Option<ErrorObject>,
    ) -> Self {
        Self {
            prefix,
            kind: part_word(part),
            name: name.to_owned(),
            action: action.map_or("error", action_word),
            changes: changes.to_vec(),
            reason: action.map(|action| cache_reason(action, changes)),
            status,
            error,
        }
    }
}
