//! Repository creation templates.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::prefix::{below, weight};
use crate::sandbox::repository::{Encryption, Mutability, Repository, Settings};
use crate::sandbox::resource_tag::ResourceTag;
use crate::sandbox::store::Inventory;

/// What makes ECR create a repository by itself.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::sandbox) enum Purpose {
    PullThroughCache,
    Replication,
    CreateOnPush,
}

/// A template, in ECR's own words.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::sandbox) struct Template {
    pub(in crate::sandbox) prefix: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::sandbox) description: Option<String>,
    pub(in crate::sandbox) encryption_configuration: Encryption,
    #[serde(flatten)]
    pub(in crate::sandbox) mutability: Mutability,
    pub(in crate::sandbox) resource_tags: Vec<ResourceTag>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::sandbox) repository_policy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::sandbox) lifecycle_policy: Option<String>,
    pub(in crate::sandbox) applied_for: Vec<Purpose>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::sandbox) custom_role_arn: Option<String>,
    pub(in crate::sandbox) created_at: f64,
    pub(in crate::sandbox) updated_at: f64,
}

impl Template {
    /// The template by which a repository would be created.
    pub(in crate::sandbox) fn of<'a>(
        inventory: &'a Inventory,
        name: &str,
        purpose: Purpose,
    ) -> Option<&'a Self> {
        let fitting = inventory.templates.values().filter(|template| {
            template.applied_for.contains(&purpose) && below(&template.prefix, name).is_some()
        });
        fitting.max_by_key(|template| weight(&template.prefix))
    }

    /// A new repository. `None` where ECR would fail to create one: with resource tags or a KMS key
    /// it needs a role (its user guide, "Repository creation templates").
    pub(in crate::sandbox) fn repository(&self) -> Option<Repository> {
        let needs_role = !self.resource_tags.is_empty()
            || self.encryption_configuration.encryption_type != "AES256";
        if needs_role && self.custom_role_arn.is_none() {
            return None;
        }
        let settings = Settings {
            mutability: self.mutability.clone(),
            encryption_configuration: self.encryption_configuration.clone(),
            ..Settings::default()
        };
        let tags = self.resource_tags.iter().cloned();
        let tags: BTreeMap<_, _> = tags.map(|tag| (tag.key, tag.value)).collect();
        Some(Repository {
            lifecycle_policy: self.lifecycle_policy.clone(),
            policy: self.repository_policy.clone(),
            resource_tags: tags,
            ..Repository::new(settings)
        })
    }
}
