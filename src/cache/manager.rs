//! What IAM must allow to whoever sets the cache up.

use std::collections::BTreeSet;

use super::policy::repositories;
use super::secret;
use super::statement::{Place, Statement, allow, everywhere};
use crate::config::{CacheCredential, CacheRule, Password, StoredSecret};
use crate::ecr::ROOT;

/// The service that reads upstreams, as IAM knows it.
const CACHE_SERVICE: &str = "pullthroughcache.ecr.amazonaws.com";

/// The role of that service, which the first rule creates.
const CACHE_ROLE: &str = "AWSServiceRoleForECRPullThroughCache";

/// Rules and templates are no resources of IAM's.
const MANAGE: [&str; 9] = [
    "ecr:CreatePullThroughCacheRule",
    "ecr:CreateRepositoryCreationTemplate",
    "ecr:DeletePullThroughCacheRule",
    "ecr:DeleteRepositoryCreationTemplate",
    "ecr:DescribePullThroughCacheRules",
    "ecr:DescribeRepositoryCreationTemplates",
    "ecr:UpdatePullThroughCacheRule",
    "ecr:UpdateRepositoryCreationTemplate",
    "ecr:ValidatePullThroughCacheRule",
];

const KEEP_SECRETS: [&str; 7] = [
    "secretsmanager:CreateSecret",
    "secretsmanager:DeleteSecret",
    "secretsmanager:DescribeSecret",
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
    "secretsmanager:RestoreSecret",
    "secretsmanager:TagResource",
];

const READ_SECRETS: [&str; 2] = [
    "secretsmanager:DescribeSecret",
    "secretsmanager:GetSecretValue",
];

const ALIGN: [&str; 6] = [
    "ecr:DeleteRepositoryPolicy",
    "ecr:GetLifecyclePolicy",
    "ecr:GetRepositoryPolicy",
    "ecr:PutImageTagMutability",
    "ecr:PutLifecyclePolicy",
    "ecr:SetRepositoryPolicy",
];

/// What it takes to keep rules, templates and secrets.
pub(super) fn manager(rules: &[CacheRule], scans: bool, place: &Place) -> Vec<Statement> {
    let mut actions = MANAGE.to_vec();
    actions.push("ecr:GetAuthorizationToken");
    if scans {
        actions.extend([
            "ecr:GetRegistryScanningConfiguration",
            "ecr:PutRegistryScanningConfiguration",
        ]);
    }
    actions.sort_unstable();
    let mut statements = vec![everywhere("Manage", &actions)];
    if rules.is_empty() {
        return statements;
    }
    // ECR asks for these when a template is made.
    let gives = |wanted: fn(&CacheRule) -> bool| rules.iter().any(wanted);
    let mut actions = vec!["ecr:CreateRepository"];
    if gives(|rule| rule.template.lifecycle_policy.is_some()) {
        actions.push("ecr:PutLifecyclePolicy");
    }
    if gives(|rule| rule.template.policy.is_some()) {
        actions.push("ecr:SetRepositoryPolicy");
    }
    statements.push(allow("Templates", &actions, &repositories(rules, place)));
    let (partition, account_id) = (place.partition(), &place.account_id);
    let role = format!(
        "arn:{partition}:iam::{account_id}:role/aws-service-role/{CACHE_SERVICE}/{CACHE_ROLE}"
    );
    statements.push(Statement {
        equal: vec![("iam:AWSServiceName", CACHE_SERVICE)],
        ..allow(
            "ServiceLinkedRole",
            &["iam:CreateServiceLinkedRole"],
            &[role],
        )
    });
    statements.extend(secrets(rules, place));
    let passed: BTreeSet<String> = rules
        .iter()
        .flat_map(|rule| [&rule.upstream_role_arn, &rule.template.custom_role_arn])
        .flatten()
        .cloned()
        .collect();
    if !passed.is_empty() {
        let passed: Vec<String> = passed.into_iter().collect();
        statements.push(allow("PassRoles", &["iam:PassRole"], &passed));
    }
    statements
}

/// What it takes to bring cached repositories in line. Which there are shows when all are listed.
pub(super) fn keeper_of_repositories(rules: &[CacheRule], place: &Place) -> Vec<Statement> {
    let rules = rules.iter().filter(|rule| rule.prefix != ROOT);
    let rules: Vec<&CacheRule> = rules.collect();
    if rules.is_empty() {
        return Vec::new();
    }
    let mut actions = ALIGN.to_vec();
    if rules.iter().any(|rule| !rule.template.tags.is_empty()) {
        actions.extend(["ecr:ListTagsForResource", "ecr:TagResource"]);
    }
    let all = [place.arn("ecr", "repository/*")];
    vec![
        allow("FindRepositories", &["ecr:DescribeRepositories"], &all),
        allow("Align", &actions, &repositories(rules, place)),
    ]
}

/// What the secrets of rules take: those that longshore keeps, and those that it only reads.
fn secrets(rules: &[CacheRule], place: &Place) -> Vec<Statement> {
    // Secrets Manager ends an ARN with a hyphen and six characters.
    let by_name = |name: &str| place.arn("secretsmanager", &format!("secret:{name}-??????"));
    let [mut kept, mut read, mut parameters] = [const { Vec::new() }; 3];
    for rule in rules {
        match &rule.credential {
            CacheCredential::Nobody => continue,
            CacheCredential::User {
                token: Password::Stored(stored),
                ..
            } => match stored {
                StoredSecret::SecretsManager(id) if id.starts_with("arn:") => read.push(id.clone()),
                StoredSecret::SecretsManager(id) => read.push(by_name(id)),
                StoredSecret::Parameter(name) if name.starts_with("arn:") => {
                    parameters.push(name.clone());
                }
                StoredSecret::Parameter(name) => {
                    let name = name.trim_start_matches('/');
                    parameters.push(place.arn("ssm", &format!("parameter/{name}")));
                }
            },
            CacheCredential::User { .. } | CacheCredential::Manual => {}
        }
        if !secret::is_taken_as_it_is(&rule.credential, &place.region) {
            kept.push(by_name(&secret::name(&rule.prefix)));
        }
    }
    [
        ("Secrets", &KEEP_SECRETS[..], kept),
        ("ReadSecrets", &READ_SECRETS, read),
        ("ReadParameters", &["ssm:GetParameter"], parameters),
    ]
    .into_iter()
    .filter(|(_, _, resources)| !resources.is_empty())
    .map(|(id, actions, resources)| allow(id, actions, &resources))
    .collect()
}
