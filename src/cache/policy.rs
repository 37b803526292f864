//! The least that IAM must allow.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::secret;
use crate::config::{
    CacheCredential, CacheRule, ImagePattern, Password, Specification, StoredSecret,
};
use crate::ecr::StatedSettings;
use crate::image::Repository;

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

/// Where the registry is, as ARNs say it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    /// The region.
    pub region: String,
    /// Twelve digits.
    pub account_id: String,
}

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

const PULL: [&str; 4] = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CreateRepository",
    "ecr:GetDownloadUrlForLayer",
];

const PUSH: [&str; 9] = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:DescribeRepositories",
    "ecr:GetDownloadUrlForLayer",
    "ecr:InitiateLayerUpload",
    "ecr:ListImages",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
];

const ALIGN: [&str; 6] = [
    "ecr:DeleteRepositoryPolicy",
    "ecr:GetLifecyclePolicy",
    "ecr:GetRepositoryPolicy",
    "ecr:PutImageTagMutability",
    "ecr:PutLifecyclePolicy",
    "ecr:SetRepositoryPolicy",
];

const PRUNE: [&str; 3] = [
    "ecr:BatchDeleteImage",
    "ecr:DeleteRepository",
    "ecr:ListImages",
];

/// Some actions that a policy allows.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Statement {
    /// What they are for, in one word.
    #[serde(rename = "Sid")]
    pub id: &'static str,
    effect: &'static str,
    /// The actions: `ecr:PutImage`.
    #[serde(rename = "Action")]
    pub actions: Vec<&'static str>,
    /// What they may be done to: ARNs, or nothing where they know no resource.
    #[serde(rename = "Resource", serialize_with = "or_everything")]
    pub resources: Vec<String>,
    /// The keys of a condition and the values that they must have.
    #[serde(
        rename = "Condition",
        serialize_with = "equal",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub equal: Vec<(&'static str, &'static str)>,
}

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

impl Place {
    /// AWS's partition, which every ARN begins with.
    fn partition(&self) -> &'static str {
        const PARTITIONS: [(&str, &str); 7] = [
            ("cn-", "aws-cn"),
            ("us-gov-", "aws-us-gov"),
            ("eusc-", "aws-eusc"),
            ("us-iso-", "aws-iso"),
            ("us-isob-", "aws-iso-b"),
            ("eu-isoe-", "aws-iso-e"),
            ("us-isof-", "aws-iso-f"),
        ];
        let mut partitions = PARTITIONS.iter();
        let own = partitions.find(|(start, _)| self.region.starts_with(start));
        own.map_or("aws", |(_, partition)| partition)
    }

    fn arn(&self, service: &str, resource: &str) -> String {
        let (partition, region) = (self.partition(), &self.region);
        let account_id = &self.account_id;
        format!("arn:{partition}:{service}:{region}:{account_id}:{resource}")
    }

    /// What a prefix's repositories are called.
    fn below(&self, prefix: &str) -> String {
        match prefix {
            "ROOT" => self.arn("ecr", "repository/*"),
            prefix => self.arn("ecr", &format!("repository/{prefix}/*")),
        }
    }
}

fn allow(id: &'static str, actions: &[&'static str], resources: &[String]) -> Statement {
    Statement {
        id,
        effect: "Allow",
        actions: actions.to_vec(),
        resources: resources.to_vec(),
        equal: Vec::new(),
    }
}

fn everywhere(id: &'static str, actions: &[&'static str]) -> Statement {
    allow(id, actions, &[])
}

fn or_everything<S: Serializer>(resources: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    match resources {
        [] => serializer.serialize_str("*"),
        resources => serializer.collect_seq(resources),
    }
}

fn equal<S: Serializer>(pairs: &[(&str, &str)], serializer: S) -> Result<S::Ok, S::Error> {
    let pairs: BTreeMap<&str, &str> = pairs.iter().copied().collect();
    serializer.collect_map([("StringEquals", pairs)])
}

fn repositories(rules: &[CacheRule], place: &Place) -> Vec<String> {
    rules.iter().map(|rule| place.below(&rule.prefix)).collect()
}

fn puller(rules: &[CacheRule], place: &Place) -> Vec<Statement> {
    let mut statements = vec![everywhere("Login", &["ecr:GetAuthorizationToken"])];
    statements.extend(pull(rules, place));
    statements
}

/// What it takes to pull through rules, beside a login.
fn pull(rules: &[CacheRule], place: &Place) -> Vec<Value> {
    if rules.is_empty() {
        return Vec::new();
    }
    vec![
        allow("Pull", &PULL, &repositories(rules, place)),
        // Not every list of IAM's actions knows a resource for it, and it reaches no further than
        // the statement before.
        everywhere("Import", &["ecr:BatchImportUpstreamImage"]),
    ]
}

fn manager(rules: &[CacheRule], scans: bool, place: &Place) -> Vec<Statement> {
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
    statements.extend(keeper(rules, place));
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
fn keeper_of_repositories(rules: &[CacheRule], place: &Place) -> Vec<Value> {
    let rules = rules.iter().filter(|rule| rule.prefix != "ROOT");
    let rules: Vec<CacheRule> = rules.cloned().collect();
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
        allow("Align", &actions, &repositories(&rules, place)),
    ]
}

/// What the secrets of rules take: those that longshore keeps, and those that it only reads.
fn keeper(rules: &[CacheRule], place: &Place) -> Vec<Statement> {
    // Secrets Manager ends an ARN with a hyphen and six characters.
    let by_name = |name: &str| place.arn("secretsmanager", &format!("secret:{name}-??????"));
    let [mut kept, mut read, mut parameters] = [const { Vec::new() }; 3];
    for rule in rules {
        let stored = match &rule.credential {
            CacheCredential::Nobody => continue,
            CacheCredential::User {
                token: Password::Stored(stored),
                ..
            } => Some(stored),
            CacheCredential::User { .. } | CacheCredential::Manual => None,
        };
        match stored {
            None => {}
            Some(StoredSecret::SecretsManager(id)) if id.starts_with("arn:") => {
                read.push(id.clone());
            }
            Some(StoredSecret::SecretsManager(id)) => read.push(by_name(id)),
            Some(StoredSecret::Parameter(name)) if name.starts_with("arn:") => {
                parameters.push(name.clone());
            }
            Some(StoredSecret::Parameter(name)) => {
                let name = name.trim_start_matches('/');
                parameters.push(place.arn("ssm", &format!("parameter/{name}")));
            }
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

fn pusher(specification: &Specification, repairs: bool, place: &Place) -> Vec<Statement> {
    let login = ["ecr:GetAccountSetting", "ecr:GetAuthorizationToken"];
    let mut statements = vec![everywhere("Login", &login)];
    let known = specification.images.iter().map(|image| &image.repository);
    let listed = specification.patterns.iter().map(ImagePattern::repository);
    let names: BTreeSet<_> = known.chain(listed).collect();
    let resources: Vec<String> = names
        .into_iter()
        .map(|name| place.arn("ecr", &format!("repository/{name}")))
        .collect();
    if resources.is_empty() {
        return statements;
    }
    statements.push(allow("Push", &PUSH, &resources));
    let repositories = &specification.repositories;
    if repositories.create {
        let settings = &repositories.settings;
        let mut actions = vec!["ecr:CreateRepository"];
        if settings.lifecycle_policy.is_some() {
            actions.push("ecr:PutLifecyclePolicy");
        }
        if settings.policy.is_some() {
            actions.push("ecr:SetRepositoryPolicy");
        }
        if !settings.tags.is_empty() {
            actions.push("ecr:TagResource");
        }
        statements.push(allow("Create", &actions, &resources));
    }
    let (compare, repair) = caretaker(&repositories.stated);
    if !compare.is_empty() {
        statements.push(allow("Compare", &compare, &resources));
    }
    if repairs && !repair.is_empty() {
        statements.push(allow("Repair", &repair, &resources));
    }
    let ways = specification.detours();
    let rules = specification.cache.iter().flat_map(|cache| &cache.rules);
    let taken = rules.filter(|rule| ways.contains(&rule.detour()));
    statements.extend(pull(&taken.cloned().collect::<Vec<_>>(), place));
    statements
}

/// What it takes to see whether repositories are what the file says, beside describing them, and
/// to make them so.
fn caretaker(stated: &StatedSettings) -> (Vec<&'static str>, Vec<&'static str>) {
    let (mut compare, mut repair) = (Vec::new(), Vec::new());
    if stated.lifecycle_policy.is_some() {
        compare.push("ecr:GetLifecyclePolicy");
        repair.push("ecr:PutLifecyclePolicy");
    }
    if stated.policy.is_some() {
        compare.push("ecr:GetRepositoryPolicy");
        repair.push("ecr:SetRepositoryPolicy");
    }
    if !stated.tags.is_empty() {
        compare.push("ecr:ListTagsForResource");
        repair.push("ecr:TagResource");
    }
    if stated.scan_on_push.is_some() {
        repair.push("ecr:PutImageScanningConfiguration");
    }
    if stated.tag_mutability.is_some() {
        repair.push("ecr:PutImageTagMutability");
    }
    repair.sort_unstable();
    (compare, repair)
}

/// Only a namespace can be cleaned up. What is in it shows when all repositories are listed.
fn pruner(namespace: Option<&Repository>, place: &Place) -> Vec<Statement> {
    let Some(namespace) = namespace else {
        return Vec::new();
    };
    let all = [place.arn("ecr", "repository/*")];
    vec![
        everywhere("FindRules", &["ecr:DescribePullThroughCacheRules"]),
        allow("FindRepositories", &["ecr:DescribeRepositories"], &all),
        allow("Prune", &PRUNE, &[place.below(namespace.as_str())]),
    ]
}
