//! Pull-through cache rules.

use serde::{Deserialize, Serialize};

use super::Kind;
use super::prefix::{ROOT, below, weight};
use crate::sandbox::fresh;
use crate::sandbox::store::Inventory;

/// A rule, in ECR's own words.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::sandbox) struct Rule {
    pub(in crate::sandbox) ecr_repository_prefix: String,
    pub(in crate::sandbox) upstream_registry_url: String,
    upstream_registry: String,
    // Only where it was given: Terraform's provider takes any other answer for a change, and its own
    // tests pass against ECR.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::sandbox) upstream_repository_prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::sandbox) credential_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::sandbox) custom_role_arn: Option<String>,
    created_at: f64,
    pub(in crate::sandbox) updated_at: f64,
}

impl Rule {
    pub(in crate::sandbox) fn new(
        prefix: &str,
        url: &str,
        kind: Kind,
        upstream_prefix: Option<&str>,
    ) -> Self {
        let plain = |prefix: &str| prefix.trim_end_matches('/').to_owned();
        let now = fresh::now();
        Self {
            ecr_repository_prefix: plain(prefix),
            upstream_registry_url: url.to_owned(),
            upstream_registry: kind.name().to_owned(),
            upstream_repository_prefix: upstream_prefix.map(plain),
            credential_arn: None,
            custom_role_arn: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// The rule that a repository falls under.
    pub(super) fn of<'a>(inventory: &'a Inventory, name: &str) -> Option<&'a Self> {
        let rules = inventory.rules.values();
        let fitting = rules.filter(|rule| below(&rule.ecr_repository_prefix, name).is_some());
        fitting.max_by_key(|rule| weight(&rule.ecr_repository_prefix))
    }

    /// The upstream's own name of a repository that falls under this rule.
    pub(super) fn upstream_name(&self, name: &str) -> Option<String> {
        let rest = below(&self.ecr_repository_prefix, name)?;
        Some(match self.upstream_repository_prefix.as_deref() {
            None | Some(ROOT) => rest.to_owned(),
            Some(prefix) => format!("{prefix}/{rest}"),
        })
    }
}
