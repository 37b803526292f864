//! What IAM must allow to whoever loads images.

use super::policy::pull;
use super::statement::{Place, Statement, allow, everywhere};
use crate::config::Specification;
use crate::ecr::StatedSettings;
use crate::image::Repository;

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

const PRUNE: [&str; 3] = [
    "ecr:BatchDeleteImage",
    "ecr:DeleteRepository",
    "ecr:ListImages",
];

/// What it takes to load images, and to repair their repositories where that is wanted.
pub(super) fn pusher(
    specification: &Specification,
    repairs: bool,
    place: &Place,
) -> Vec<Statement> {
    let login = ["ecr:GetAccountSetting", "ecr:GetAuthorizationToken"];
    let mut statements = vec![everywhere("Login", &login)];
    let names = specification.destination_repositories().into_iter();
    let resources: Vec<String> = names
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
    statements.extend(pull(taken, place));
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
pub(super) fn pruner(namespace: Option<&Repository>, place: &Place) -> Vec<Statement> {
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
