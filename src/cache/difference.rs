//! Where what there is differs from what the file says.

use crate::ecr::{CreationTemplate, PullThroughRule, is_same_policy};

/// How a rule differs, by the file's keys.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct RuleDifference {
    /// What an update changes.
    pub(super) updatable: Vec<&'static str>,
    /// What ECR never changes in a rule.
    pub(super) fixed: Vec<&'static str>,
}

/// How a rule differs. A secret that does not exist yet differs from each that does.
pub(super) fn rule(
    wanted: &PullThroughRule,
    new_secret: bool,
    found: &PullThroughRule,
) -> RuleDifference {
    let mut difference = RuleDifference::default();
    if wanted.upstream != found.upstream {
        difference.fixed.push("registry");
    }
    if wanted.upstream_prefix != found.upstream_prefix {
        difference.fixed.push("upstream_repository_prefix");
    }
    let mut compare = |key, wanted: Option<&String>, found: Option<&String>| match wanted {
        None if found.is_some() => difference.fixed.push(key),
        wanted if wanted != found => difference.updatable.push(key),
        _ => {}
    };
    if !new_secret {
        let found = found.credential_arn.as_ref();
        compare("access_token", wanted.credential_arn.as_ref(), found);
    }
    let role = found.custom_role_arn.as_ref();
    compare("custom_role_arn", wanted.custom_role_arn.as_ref(), role);
    if new_secret {
        difference.updatable.push("access_token");
    }
    difference
}

/// How a template differs, by the file's keys.
pub(super) fn template(wanted: &CreationTemplate, found: &CreationTemplate) -> Vec<&'static str> {
    let same_text = |one: &Option<String>, other: &Option<String>| match (one, other) {
        (Some(one), Some(other)) => is_same_policy(one, other),
        (one, other) => one == other,
    };
    let differences = [
        ("description", wanted.description != found.description),
        ("applied_for", wanted.applied_for != found.applied_for),
        (
            "image_tag_mutability",
            !wanted.tag_mutability.is_same_as(&found.tag_mutability),
        ),
        ("encryption", wanted.encryption != found.encryption),
        (
            "lifecycle_policy",
            !same_text(&wanted.lifecycle_policy, &found.lifecycle_policy),
        ),
        (
            "repository_read_access_arns",
            !same_text(&wanted.policy, &found.policy),
        ),
        ("tags", wanted.tags != found.tags),
        (
            "custom_role_arn",
            wanted.custom_role_arn != found.custom_role_arn,
        ),
    ];
    let differing = differences.into_iter().filter(|(_, differs)| *differs);
    differing.map(|(key, _)| key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hub() -> PullThroughRule {
        PullThroughRule {
            prefix: "docker-hub".to_owned(),
            upstream: "registry-1.docker.io".to_owned(),
            upstream_prefix: None,
            credential_arn: Some("arn:one".to_owned()),
            custom_role_arn: None,
        }
    }

    #[test]
    fn a_rule_is_updated_only_where_ecr_can() {
        let with = |change: fn(&mut PullThroughRule)| {
            let mut rule = hub();
            change(&mut rule);
            rule
        };
        for (wanted, updatable, fixed) in [
            (hub(), &[][..], &[][..]),
            (
                with(|it| it.upstream = "quay.io".to_owned()),
                &[],
                &["registry"],
            ),
            (
                with(|it| it.upstream_prefix = Some("a1".to_owned())),
                &[],
                &["upstream_repository_prefix"],
            ),
            (
                with(|it| it.credential_arn = Some("arn:two".to_owned())),
                &["access_token"],
                &[],
            ),
            (with(|it| it.credential_arn = None), &[], &["access_token"]),
            (
                with(|it| it.custom_role_arn = Some("arn:role".to_owned())),
                &["custom_role_arn"],
                &[],
            ),
        ] {
            let difference = rule(&wanted, false, &hub());
            assert_eq!(difference.updatable, updatable, "{wanted:?}");
            assert_eq!(difference.fixed, fixed, "{wanted:?}");
        }
        let pending = with(|it| it.credential_arn = None);
        assert_eq!(rule(&pending, true, &hub()).updatable, ["access_token"]);
    }
}
