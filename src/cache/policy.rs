//! The least that IAM must allow.

use serde_json::{Value, json};

use super::manager::{keeper_of_repositories, manager};
use super::pusher::{pruner, pusher};
use super::statement::{Place, Statement, allow, everywhere};
use crate::config::{CacheRule, Specification};

/// For whom a policy is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Audience {
    /// Whoever pulls through the cache.
    Puller,
    /// Whoever runs `cache apply`.
    Manager {
        /// With `--existing`.
        existing: bool,
    },
    /// Whoever runs `plan`, `apply` and `mirror`.
    Pusher {
        /// Whether with `--repair-repositories`.
        repairs: bool,
        /// Whether with `--prune-orphans`.
        prunes: bool,
    },
}

const PULL: [&str; 4] = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CreateRepository",
    "ecr:GetDownloadUrlForLayer",
];

/// The least that IAM must allow for what the file says, as a policy.
pub fn policy(audience: Audience, specification: &Specification, place: &Place) -> Value {
    let statements = statements(audience, specification, place);
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// The least that IAM must allow for what the file says.
pub fn statements(
    audience: Audience,
    specification: &Specification,
    place: &Place,
) -> Vec<Statement> {
    let cache = specification.cache.as_ref();
    let rules = cache.map_or(&[][..], |cache| &cache.rules);
    match audience {
        Audience::Puller => puller(rules, place),
        Audience::Manager { existing } => {
            let scans = cache.is_some_and(|cache| cache.scanning.is_some());
            let mut statements = manager(rules, scans, place);
            if existing {
                statements.extend(keeper_of_repositories(rules, place));
            }
            statements
        }
        Audience::Pusher { repairs, prunes } => {
            let mut statements = pusher(specification, repairs, place);
            if prunes {
                statements.extend(pruner(specification.namespace.as_ref(), place));
            }
            statements
        }
    }
}

/// The repositories that rules create.
pub(super) fn repositories<'a>(
    rules: impl IntoIterator<Item = &'a CacheRule>,
    place: &Place,
) -> Vec<String> {
    let prefixes = rules.into_iter().map(|rule| &rule.prefix);
    prefixes.map(|prefix| place.below(prefix)).collect()
}

fn puller(rules: &[CacheRule], place: &Place) -> Vec<Statement> {
    let mut statements = vec![everywhere("Login", &["ecr:GetAuthorizationToken"])];
    statements.extend(pull(rules, place));
    statements
}

/// What it takes to pull through rules, beside a login.
pub(super) fn pull<'a>(
    rules: impl IntoIterator<Item = &'a CacheRule>,
    place: &Place,
) -> Vec<Statement> {
    let repositories = repositories(rules, place);
    if repositories.is_empty() {
        return Vec::new();
    }
    vec![
        allow("Pull", &PULL, &repositories),
        // Not every list of IAM's actions knows a resource for it, and it reaches no further than
        // the statement before.
        everywhere("Import", &["ecr:BatchImportUpstreamImage"]),
    ]
}
