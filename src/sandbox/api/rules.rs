//! Pull-through cache rules.

use serde::Deserialize;
use serde_json::{Value, json};

use super::exception::Exception;
use super::page::cut;
use crate::sandbox::fresh;
use crate::sandbox::pull_through::{Kind, Rule, is_prefix, reach};
use crate::sandbox::state::State;

/// The most rules of a registry.
const MOST: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Create {
    ecr_repository_prefix: String,
    upstream_registry_url: String,
    upstream_repository_prefix: Option<String>,
    #[serde(flatten)]
    access: Access,
}

/// What a rule gets into its upstream with.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Access {
    credential_arn: Option<String>,
    custom_role_arn: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Describe {
    ecr_repository_prefixes: Option<Vec<String>>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Update {
    ecr_repository_prefix: String,
    #[serde(flatten)]
    access: Access,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Named {
    ecr_repository_prefix: String,
}

/// `CreatePullThroughCacheRule`.
pub(super) fn create(state: &State, input: Create) -> Result<Value, Exception> {
    let prefix = &input.ecr_repository_prefix;
    check_prefix("ecrRepositoryPrefix", prefix)?;
    let upstream_prefix = input.upstream_repository_prefix.as_deref();
    if let Some(prefix) = upstream_prefix {
        check_prefix("upstreamRepositoryPrefix", prefix)?;
    }
    let url = &input.upstream_registry_url;
    let kind = Kind::of(url).ok_or_else(|| unsupported("is not supported"))?;
    check_access(state, kind, url, &input.access)?;
    let mut rule = Rule::new(prefix, url, kind, upstream_prefix);
    rule.credential_arn = input.access.credential_arn;
    rule.custom_role_arn = input.access.custom_role_arn;
    state.store.change(|inventory| {
        let prefix = rule.ecr_repository_prefix.clone();
        if inventory.rules.contains_key(&prefix) {
            return Err(Exception::new(
                "PullThroughCacheRuleAlreadyExistsException",
                format!(
                    "A pull through cache rule with the prefix '{prefix}' already exists in the \
                     registry with id '{}'",
                    state.options.account_id
                ),
            ));
        }
        if inventory.rules.len() == MOST {
            let message = format!("The registry has the most pull through cache rules: {MOST}");
            return Err(Exception::new("LimitExceededException", message));
        }
        let output = describe_one(state, &rule);
        inventory.rules.insert(prefix, rule);
        Ok(output)
    })
}

/// `DescribePullThroughCacheRules`: those named, or a page of all.
pub(super) fn describe(state: &State, input: Describe) -> Result<Value, Exception> {
    let inventory = state.store.read();
    let (prefixes, next) = match input.ecr_repository_prefixes {
        Some(prefixes) if !prefixes.is_empty() => (prefixes, None),
        _ => {
            let prefixes = inventory.rules.keys().cloned().collect();
            cut(prefixes, input.max_results, input.next_token.as_deref())?
        }
    };
    let rules = prefixes.iter().map(|prefix| {
        let rule = inventory.rules.get(plain(prefix));
        let rule = rule.ok_or_else(|| missing(state, prefix))?;
        Ok(describe_one(state, rule))
    });
    let rules: Vec<Value> = rules.collect::<Result<_, Exception>>()?;
    Ok(json!({"pullThroughCacheRules": rules, "nextToken": next}))
}

/// `UpdatePullThroughCacheRule`: the secret and the role; the rest of a rule is as it was made.
pub(super) fn update(state: &State, input: Update) -> Result<Value, Exception> {
    let prefix = &input.ecr_repository_prefix;
    state.store.change(|inventory| {
        let rule = inventory.rules.get_mut(plain(prefix));
        let rule = rule.ok_or_else(|| missing(state, prefix))?;
        let url = &rule.upstream_registry_url;
        let kind = Kind::of(url).ok_or_else(|| unsupported("is not supported"))?;
        let access = Access {
            credential_arn: input.access.credential_arn.or(rule.credential_arn.clone()),
            custom_role_arn: input
                .access
                .custom_role_arn
                .or(rule.custom_role_arn.clone()),
        };
        check_access(state, kind, url, &access)?;
        rule.credential_arn = access.credential_arn;
        rule.custom_role_arn = access.custom_role_arn;
        rule.updated_at = fresh::now();
        Ok(describe_one(state, rule))
    })
}

/// `DeletePullThroughCacheRule`. The repositories that it made stay.
pub(super) fn delete(state: &State, input: &Named) -> Result<Value, Exception> {
    let prefix = &input.ecr_repository_prefix;
    state.store.change(|inventory| {
        let rule = inventory.rules.remove(plain(prefix));
        let rule = rule.ok_or_else(|| missing(state, prefix))?;
        Ok(describe_one(state, &rule))
    })
}

/// `ValidatePullThroughCacheRule`: goes to the upstream with the secret.
pub(super) async fn validate(state: &State, input: &Named) -> Result<Value, Exception> {
    let prefix = &input.ecr_repository_prefix;
    let rule = state.store.read().rules.get(plain(prefix)).cloned();
    let rule = rule.ok_or_else(|| missing(state, prefix))?;
    let failure = reach(state, &rule).await.err();
    let mut output = describe_one(state, &rule);
    output["isValid"] = json!(failure.is_none());
    if let Some(failure) = failure {
        output["failure"] = json!(failure.text());
    }
    Ok(output)
}

/// A prefix as it is kept: ECR takes one with a slash at its end, and means the same.
fn plain(prefix: &str) -> &str {
    prefix.trim_end_matches('/')
}

fn check_prefix(parameter: &str, prefix: &str) -> Result<(), Exception> {
    if (2..=30).contains(&prefix.len()) && is_prefix(prefix) {
        return Ok(());
    }
    Err(Exception::invalid_parameter(
        parameter,
        "must have 2 to 30 characters and satisfy regular expression \
         '^((?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*/?|ROOT)$'",
    ))
}

fn check_access(state: &State, kind: Kind, url: &str, access: &Access) -> Result<(), Exception> {
    match &access.credential_arn {
        // Seen when a rule for Docker Hub or ghcr.io has no secret.
        None if kind.needs_secret() => return Err(unsupported("requires authentication")),
        None => {}
        Some(arn) => check_secret(state, arn)?,
    }
    let own = format!("{}.dkr.ecr.", state.options.account_id);
    if kind == Kind::Ecr && !url.starts_with(&own) && access.custom_role_arn.is_none() {
        let message = "A custom role ARN is required for an upstream registry of another account";
        return Err(Exception::new("ValidationException", message));
    }
    match &access.custom_role_arn {
        Some(arn) => check_role(arn),
        None => Ok(()),
    }
}

/// `^arn:aws(-\w+)*:secretsmanager:[a-zA-Z0-9-:]+:secret:ecr\-pullthroughcache\/[...]+$`, in this
/// account and region.
fn check_secret(state: &State, arn: &str) -> Result<(), Exception> {
    let own = state.arn("secretsmanager", "secret:ecr-pullthroughcache/");
    if !arn.starts_with(&own) || !(50..=612).contains(&arn.len()) {
        return Err(Exception::invalid_parameter(
            "credentialArn",
            "must be the ARN of a secret of this account and region whose name begins with \
             ecr-pullthroughcache/",
        ));
    }
    if state.secrets.has(arn) {
        return Ok(());
    }
    let message = format!("The secret with ARN '{arn}' was not found.");
    Err(Exception::new("SecretNotFoundException", message))
}

/// A role's ARN.
pub(super) fn check_role(arn: &str) -> Result<(), Exception> {
    if arn.starts_with("arn:aws") && arn.contains(":iam::") && arn.contains(":role/") {
        return Ok(());
    }
    let constraint = "must be the ARN of a role";
    Err(Exception::invalid_parameter("customRoleArn", constraint))
}

fn describe_one(state: &State, rule: &Rule) -> Value {
    let mut value = json!(rule);
    value["registryId"] = json!(state.options.account_id);
    value
}

fn unsupported(why: &str) -> Exception {
    let message = format!("The specified upstream registry {why}");
    Exception::new("UnsupportedUpstreamRegistryException", message)
}

fn missing(state: &State, prefix: &str) -> Exception {
    let message = format!(
        "The pull through cache rule with the prefix '{prefix}' does not exist in the registry \
         with id '{}'",
        state.options.account_id
    );
    Exception::new("PullThroughCacheRuleNotFoundException", message)
}
