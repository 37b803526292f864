//! What there is: rules, templates, secrets and the registry's scanning.

use crate::config::CacheSpecification;
use crate::ecr::{CreationTemplate, EcrHost, PullThroughRule, RegistryScanning};

use super::Choices;
use super::existing::{self, SeenRepository};
use super::leftover::{self, Leftover};
use super::secret::SeenSecret;
use super::{Access, Error};

/// What there is.
#[derive(Debug)]
pub(super) struct Observation {
    /// Whose registry it is; absent where its host does not tell.
    pub(super) account_id: Option<String>,
    pub(super) rules: Vec<PullThroughRule>,
    pub(super) templates: Vec<CreationTemplate>,
    /// Absent where the file leaves it open.
    pub(super) scanning: Option<RegistryScanning>,
    /// One per rule of the file, in its order.
    pub(super) secrets: Vec<Result<SeenSecret, Error>>,
    /// longshore's secrets that the file does not need.
    pub(super) leftovers: Vec<Leftover>,
    /// Cached repositories, where they are to be brought in line.
    pub(super) existing: Vec<SeenRepository>,
}

/// Looks at everything that the file is about.
pub(super) async fn observe(
    specification: &CacheSpecification,
    choices: Choices,
    access: &Access,
) -> Result<Observation, Error> {
    let rules = access.ecr.pull_through_rules().await?;
    let templates = access.ecr.creation_templates().await?;
    let scanning = match specification.scanning {
        Some(_) => Some(access.ecr.registry_scanning().await?),
        None => None,
    };
    let named = &specification.rules;
    let mut secrets = Vec::new();
    for rule in named {
        secrets.push(SeenSecret::look(rule, access).await);
    }
    let leftovers = leftover::look(named, &secrets, &templates, choices.prune, access).await;
    let existing = if choices.existing {
        existing::look(named, &templates, access).await?
    } else {
        Vec::new()
    };
    let host = EcrHost::of(&access.ecr.registry().await?.registry);
    Ok(Observation {
        account_id: host.map(|host| host.account_id),
        rules,
        templates,
        scanning,
        secrets,
        leftovers,
        existing,
    })
}
