//! The rules of the pull-through cache.

use aws_sdk_ecr::operation::create_pull_through_cache_rule::CreatePullThroughCacheRuleError;
use aws_sdk_ecr::types::PullThroughCacheRule as Found;

use super::{Ecr, Error};
use crate::aws;

/// How ECR writes the prefix that all names have: none.
pub const ROOT: &str = "ROOT";

/// A rule: what stands under its prefix is read from an upstream registry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PullThroughRule {
    /// The prefix of repository names here, without a slash at its end; `ROOT` for all names.
    pub prefix: String,
    /// The upstream's host, as [`CacheUpstream::host`](super::CacheUpstream::host) has it.
    pub upstream: String,
    /// A prefix that the upstream's repositories have and those here do not.
    pub upstream_prefix: Option<String>,
    /// The ARN of the secret with the upstream's login.
    pub credential_arn: Option<String>,
    /// The ARN of the role with which another account's ECR is read.
    pub custom_role_arn: Option<String>,
}

/// What an upstream answered to a rule's login.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RuleValidation {
    /// It lets the rule in.
    Valid,
    /// It does not, or the secret cannot be used.
    Invalid {
        /// Why, in ECR's words.
        reason: String,
    },
}

impl Ecr {
    /// All rules of the registry.
    pub async fn pull_through_rules(&self) -> Result<Vec<PullThroughRule>, Error> {
        let pages = self
            .client
            .describe_pull_through_cache_rules()
            .set_registry_id(self.account_id.clone())
            .into_paginator()
            .items();
        let found = pages.send().try_collect().await;
        let found = found.map_err(|error| Error::Rules {
            source: aws::Error::from_sdk("ecr", "DescribePullThroughCacheRules", error),
        })?;
        Ok(found.into_iter().map(read).collect())
    }

    /// Creates a rule. One that is there already, and is the same, is what was wanted: the first
    /// answer may have been lost.
    pub async fn create_pull_through_rule(&self, rule: &PullThroughRule) -> Result<(), Error> {
        let create = self.client.create_pull_through_cache_rule();
        let answer = create
            .set_registry_id(self.account_id.clone())
            .ecr_repository_prefix(&rule.prefix)
            .upstream_registry_url(&rule.upstream)
            .set_upstream_repository_prefix(rule.upstream_prefix.clone())
            .set_credential_arn(rule.credential_arn.clone())
            .set_custom_role_arn(rule.custom_role_arn.clone())
            .send()
            .await;
        let Err(error) = answer else {
            return Ok(());
        };
        let exists = error.as_service_error().is_some_and(
            CreatePullThroughCacheRuleError::is_pull_through_cache_rule_already_exists_exception,
        );
        if exists && self.pull_through_rules().await?.contains(rule) {
            return Ok(());
        }
        let source = aws::Error::from_sdk("ecr", "CreatePullThroughCacheRule", error);
        Err(failed("create", &rule.prefix, source))
    }

    /// Gives a rule another secret or role. ECR changes nothing else of a rule, and takes neither
    /// away.
    pub async fn update_pull_through_rule(&self, rule: &PullThroughRule) -> Result<(), Error> {
        let update = self.client.update_pull_through_cache_rule();
        let answer = update
            .set_registry_id(self.account_id.clone())
            .ecr_repository_prefix(&rule.prefix)
            .set_credential_arn(rule.credential_arn.clone())
            .set_custom_role_arn(rule.custom_role_arn.clone())
            .send()
            .await;
        answer.map(drop).map_err(|error| {
            let source = aws::Error::from_sdk("ecr", "UpdatePullThroughCacheRule", error);
            failed("update", &rule.prefix, source)
        })
    }

    /// Deletes a rule. What was cached through it stays, and is not refreshed any more.
    pub async fn delete_pull_through_rule(&self, prefix: &str) -> Result<(), Error> {
        let delete = self.client.delete_pull_through_cache_rule();
        let answer = delete
            .set_registry_id(self.account_id.clone())
            .ecr_repository_prefix(prefix)
            .send()
            .await;
        answer.map(drop).map_err(|error| {
            let source = aws::Error::from_sdk("ecr", "DeletePullThroughCacheRule", error);
            failed("delete", prefix, source)
        })
    }

    /// Has ECR read the rule's secret and log in at the upstream.
    pub async fn validate_pull_through_rule(&self, prefix: &str) -> Result<RuleValidation, Error> {
        let validate = self.client.validate_pull_through_cache_rule();
        let answer = validate
            .set_registry_id(self.account_id.clone())
            .ecr_repository_prefix(prefix)
            .send()
            .await;
        let output = answer.map_err(|error| {
            let source = aws::Error::from_sdk("ecr", "ValidatePullThroughCacheRule", error);
            failed("validate", prefix, source)
        })?;
        Ok(if output.is_valid() {
            RuleValidation::Valid
        } else {
            let reason = output.failure().unwrap_or("ECR gives no reason");
            RuleValidation::Invalid {
                reason: reason.to_owned(),
            }
        })
    }
}

fn read(found: Found) -> PullThroughRule {
    PullThroughRule {
        prefix: found.ecr_repository_prefix.unwrap_or_default(),
        upstream: found.upstream_registry_url.unwrap_or_default(),
        upstream_prefix: found
            .upstream_repository_prefix
            .filter(|prefix| prefix != ROOT),
        credential_arn: found.credential_arn,
        custom_role_arn: found.custom_role_arn,
    }
}

fn failed(action: &'static str, prefix: &str, source: aws::Error) -> Error {
    Error::Rule {
        action,
        prefix: prefix.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::stand_in::{StandIn, refusal};
    use super::*;
    use crate::failure::Failure as _;

    const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:x-abcdef";

    fn hub() -> PullThroughRule {
        PullThroughRule {
            prefix: "docker-hub".to_owned(),
            upstream: "registry-1.docker.io".to_owned(),
            upstream_prefix: None,
            credential_arn: Some(SECRET.to_owned()),
            custom_role_arn: None,
        }
    }

    fn listed() -> Value {
        json!({
            "ecrRepositoryPrefix": "docker-hub",
            "upstreamRegistryUrl": "registry-1.docker.io",
            "upstreamRegistry": "docker-hub",
            "upstreamRepositoryPrefix": "ROOT",
            "credentialArn": SECRET,
        })
    }

    #[tokio::test]
    async fn a_rule_is_kept() {
        let quay = json!({
            "ecrRepositoryPrefix": "quay",
            "upstreamRegistryUrl": "quay.io",
            "upstreamRepositoryPrefix": "coreos",
        });
        let page = |rule: Value, next: Option<&str>| {
            (
                200,
                json!({"pullThroughCacheRules": [rule], "nextToken": next}),
            )
        };
        let done = || (200, json!({}));
        let invalid = (200, json!({"isValid": false, "failure": "no"}));
        let valid = (200, json!({"isValid": true}));
        let pages = [page(listed(), Some("more")), page(quay, None)];
        let rest = [done(), done(), valid, invalid, done()];
        let api = StandIn::answering(pages.into_iter().chain(rest)).await;
        let ecr = api.ecr(Some("210987654321"));
        let other = PullThroughRule {
            prefix: "quay".to_owned(),
            upstream: "quay.io".to_owned(),
            upstream_prefix: Some("coreos".to_owned()),
            credential_arn: None,
            custom_role_arn: None,
        };
        assert_eq!(
            ecr.pull_through_rules().await.unwrap(),
            [hub(), other.clone()]
        );
        ecr.create_pull_through_rule(&other).await.unwrap();
        ecr.update_pull_through_rule(&hub()).await.unwrap();
        let validate = async || ecr.validate_pull_through_rule("quay").await.unwrap();
        assert_eq!(validate().await, RuleValidation::Valid);
        let reason = "no".to_owned();
        assert_eq!(validate().await, RuleValidation::Invalid { reason });
        ecr.delete_pull_through_rule("quay").await.unwrap();
        insta::assert_json_snapshot!(api.calls());
    }

    #[tokio::test]
    async fn a_rule_that_is_there_already_is_what_was_wanted() {
        let exists = || refusal("PullThroughCacheRuleAlreadyExistsException", "it exists");
        let page = || (200, json!({"pullThroughCacheRules": [listed()]}));
        let api = StandIn::answering([exists(), page(), exists(), page()]).await;
        let ecr = api.ecr(None);
        ecr.create_pull_through_rule(&hub()).await.unwrap();
        let other = PullThroughRule {
            upstream: "ghcr.io".to_owned(),
            ..hub()
        };
        let error = ecr.create_pull_through_rule(&other).await.unwrap_err();
        let text = "cannot create the pull-through cache rule `docker-hub`";
        assert_eq!(error.to_string(), text);
    }

    #[tokio::test]
    async fn says_what_is_wrong_with_a_secret() {
        let missing = refusal("SecretNotFoundException", "it was not found");
        let api = StandIn::answering([missing]).await;
        let error = api
            .ecr(None)
            .create_pull_through_rule(&hub())
            .await
            .unwrap_err();
        insta::assert_snapshot!(error.hint().unwrap());
    }
}
