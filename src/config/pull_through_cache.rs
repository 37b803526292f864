//! `pull_through_cache`: which upstream registries ECR caches, and how.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::cache_specification::CacheRule;
use super::check::Checker;
use super::destination::{given, role_arn};
use super::hint::suggest;
use super::mistakes::{Located, Place};
use super::reader::Table;
use super::repositories::{encryption, resource_tags, tag_patterns};
use super::shapes::{is_prefix, is_principal};
use super::{cache_credential, policies, written};
use crate::ecr::{
    CacheUpstream, CreatedBy, CreationTemplate, Encryption, ROOT, TagMutability, UpstreamAccess,
};
use crate::failure::Failure as _;

/// How many rules a registry takes (ECR's service quotas).
const RULES: usize = 50;

/// How many characters ECR takes as a repository policy.
const POLICY_LENGTH: usize = 10_240;

/// What a reader of a cached repository may do: pull, also what is not cached yet, and look around.
const READ_ACTIONS: [&str; 9] = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:BatchImportUpstreamImage",
    "ecr:DescribeImageScanFindings",
    "ecr:DescribeImages",
    "ecr:DescribeRepositories",
    "ecr:GetDownloadUrlForLayer",
    "ecr:ListImages",
    "ecr:ListTagsForResource",
];

/// The `Sid` of the one statement in the policy of the repositories that others may read.
pub const READ_STATEMENT: &str = "ReadCachedImages";

type Text = Located<String>;

/// The rules, for the registry of this account where the file names it.
pub(super) fn check(
    written: Table<Located<written::CacheRule>>,
    account_id: Option<&str>,
    checker: &mut Checker<'_>,
) -> Vec<CacheRule> {
    if let Some((prefix, _)) = written.get(RULES) {
        let message = format!(
            "ECR takes at most {RULES} rules, here are {}",
            written.len()
        );
        checker.mistakes.add(&prefix.place, message, None);
    }
    let rules = written.into_iter();
    rules
        .filter_map(|(prefix, rule)| check_one(prefix, rule, account_id, checker))
        .collect()
}

fn check_one(
    prefix: Text,
    rule: Located<written::CacheRule>,
    account_id: Option<&str>,
    checker: &mut Checker<'_>,
) -> Option<CacheRule> {
    let Located { value: rule, place } = rule;
    let key = prefix.place.clone();
    let what = "a prefix of 2 to 30 lower-case letters, digits and `/._-`";
    let prefix = checker.shaped(prefix, is_prefix, what, "docker-hub");
    let upstream = if let Some(text) = &rule.registry {
        upstream(text, checker)
    } else {
        let hint = "write `registry: registry-1.docker.io`".to_owned();
        let message = "the key `registry` is missing";
        checker.mistakes.add(&place, message, hint);
        None
    };
    let access = upstream.as_ref().map(|upstream| upstream.kind.access());
    let credential = cache_credential::check(
        rule.username,
        rule.access_token,
        rule.credential.as_ref(),
        upstream.as_ref(),
        &key,
        checker,
    );
    let upstream_prefix = given(rule.upstream_repository_prefix)
        .and_then(|text| checker.shaped(text, is_prefix, "a prefix of repositories", "team"))
        .filter(|prefix| prefix != ROOT);
    let assumed = given(rule.custom_role_arn).and_then(|text| role_arn(text, checker));
    let encryption = rule
        .encryption
        .and_then(|written| encryption(written, checker))
        .unwrap_or(Encryption::Aes256);
    let tags = rule
        .tags
        .map_or_else(BTreeMap::new, |tags| resource_tags(tags, checker));
    let lifecycle_policy = match rule.lifecycle_policy {
        Some(policy) => policies::check(policy, &policies::LIFECYCLE, checker),
        None => Some(keep_last_three()),
    };
    let mutability = mutability(
        rule.image_tag_mutability.as_ref(),
        rule.image_tag_mutability_exclusions,
        checker,
    );
    let readers = rule.repository_read_access_arns.unwrap_or_default();
    let mut template = CreationTemplate {
        prefix: prefix.clone().unwrap_or_default(),
        description: None,
        applied_for: BTreeSet::from([CreatedBy::PullThroughCache]),
        tag_mutability: mutability,
        encryption,
        lifecycle_policy,
        policy: read_policy(readers, &key, checker),
        tags,
        custom_role_arn: None,
    };
    let reads_ecr = access == Some(UpstreamAccess::Role);
    if template.needs_role() || !reads_ecr {
        template.custom_role_arn.clone_from(&assumed);
    }
    if template.needs_role() && assumed.is_none() {
        let message = "ECR creates repositories with `tags` or a KMS key only with a role";
        let hint = "write `custom_role_arn` beside them, or leave them out".to_owned();
        checker.mistakes.add(&key, message, hint);
    }
    let owner = upstream.as_ref().and_then(CacheUpstream::account_id);
    if let (Some(owner), Some(own), None) = (owner, account_id, &assumed)
        && owner != own
    {
        let message = format!("the registry of account {owner} is read with a role");
        let hint = "write `custom_role_arn` beside it".to_owned();
        checker.mistakes.add(&key, message, hint);
    }
    Some(CacheRule {
        prefix: prefix?,
        upstream: upstream?,
        upstream_prefix,
        credential: credential?,
        upstream_role_arn: assumed.filter(|_| reads_ecr),
        template,
    })
}

fn upstream(text: &Text, checker: &mut Checker<'_>) -> Option<CacheUpstream> {
    match text.value.parse::<CacheUpstream>() {
        Ok(upstream) => Some(upstream),
        Err(error) => {
            let message = error.to_string();
            let hint = error.hint().or_else(|| bare(&text.value));
            checker.mistakes.add(&text.place, message, hint);
            None
        }
    }
}

/// What to write instead of a URL, of which ECR takes the host alone.
fn bare(text: &str) -> Option<String> {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let host = rest.split('/').next().filter(|host| *host != text)?;
    let upstream: CacheUpstream = host.parse().ok()?;
    Some(format!("write `{upstream}`"))
}

fn mutability(
    word: Option<&Text>,
    exclusions: Option<Located<Vec<Text>>>,
    checker: &mut Checker<'_>,
) -> TagMutability {
    const WORDS: [&str; 4] = [
        "MUTABLE",
        "IMMUTABLE",
        "MUTABLE_WITH_EXCLUSION",
        "IMMUTABLE_WITH_EXCLUSION",
    ];
    let patterns = exclusions.map_or_else(Vec::new, |list| tag_patterns(list, checker));
    let Some(word) = word else {
        return if patterns.is_empty() {
            TagMutability::Mutable
        } else {
            TagMutability::MutableExcept {
                immutable: patterns,
            }
        };
    };
    if word.value.ends_with("_WITH_EXCLUSION") && patterns.is_empty() {
        let message = format!("`{}` excludes nothing", word.value);
        let hint = "write `image_tag_mutability_exclusions` beside it".to_owned();
        checker.mistakes.add(&word.place, message, hint);
    }
    match word.value.as_str() {
        "MUTABLE" | "MUTABLE_WITH_EXCLUSION" if patterns.is_empty() => TagMutability::Mutable,
        "MUTABLE" | "MUTABLE_WITH_EXCLUSION" => TagMutability::MutableExcept {
            immutable: patterns,
        },
        "IMMUTABLE" | "IMMUTABLE_WITH_EXCLUSION" => TagMutability::Immutable { except: patterns },
        other => {
            let message = format!("`{other}` is no tag mutability of ECR");
            let hint = suggest(other, &WORDS, "write one of");
            checker.mistakes.add(&word.place, message, hint);
            TagMutability::Mutable
        }
    }
}

/// Who else may read the repositories, as a repository policy.
fn read_policy(readers: Vec<Text>, key: &Place, checker: &mut Checker<'_>) -> Option<String> {
    let example = "arn:aws:iam::123456789012:role/name";
    let readers: Vec<String> = readers
        .into_iter()
        .filter_map(|text| checker.shaped(text, is_principal, "a user, role or account", example))
        .collect();
    if readers.is_empty() {
        return None;
    }
    let statement = json!({
        "Sid": READ_STATEMENT,
        "Effect": "Allow",
        "Principal": {"AWS": readers},
        "Action": READ_ACTIONS,
    });
    let policy = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
    if policy.len() > POLICY_LENGTH {
        let message = "these are too many readers for one repository policy of ECR";
        let hint = "name their accounts instead".to_owned();
        checker.mistakes.add(key, message, hint);
    }
    Some(policy)
}

/// The lifecycle policy of those that have none.
fn keep_last_three() -> String {
    let rule = json!({
        "rulePriority": 1,
        "description": "Keep last 3 images",
        "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 3},
        "action": {"type": "expire"},
    });
    json!({"rules": [rule]}).to_string()
}
