//! What is proposed for each thing that the file names: what it shall be, held against what it is.

use crate::config::{CacheCredential, CacheRule};
use crate::ecr::{CacheUpstream, CreationTemplate, PullThroughRule, RegistryScanning};
use crate::failure::Failure as _;

use super::existing::SeenRepository;
use super::item::{Action, Item, Part, RuleWork, Work};
use super::mark::MARK;
use super::secret::{self, SeenSecret, missing_tags};
use super::{Choices, Error, difference};

fn update_where(changes: &[&'static str]) -> Action {
    match changes {
        [] => Action::Unchanged,
        _ => Action::Update,
    }
}

/// `None` where longshore keeps no secret for the rule.
pub(super) fn secret(wanted: &CacheRule, seen: Result<SeenSecret, Error>) -> Option<Item> {
    let prefix = &wanted.prefix;
    let name = secret::name(prefix);
    let kept = match seen {
        Ok(SeenSecret::Kept(kept)) => kept,
        Ok(SeenSecret::None | SeenSecret::Elsewhere { .. }) => return None,
        Err(error) => return Some(Item::failed(prefix, Part::Secret, &name, error)),
    };
    let (action, changes) = match &kept.found {
        None => (Action::Create, Vec::new()),
        Some(found) => {
            let differences = [
                ("marked for deletion", found.is_deleted),
                ("access_token", kept.differs),
                (
                    "tags",
                    !missing_tags(&kept.wanted.tags, &found.tags).is_empty(),
                ),
            ];
            let differing = differences.into_iter().filter(|(_, differs)| *differs);
            let changes: Vec<_> = differing.map(|(key, _)| key).collect();
            (update_where(&changes), changes)
        }
    };
    let work = Work::Secret(kept);
    Some(Item::new(Some(prefix), &name, action, changes, work))
}

/// What the file does not decide stays: what else a template is applied for, and a role, which ECR
/// does not take away.
pub(super) fn template(rule: &CacheRule, found: Option<&CreationTemplate>) -> Item {
    let mut wanted = rule.template.clone();
    wanted.description = Some(MARK.to_owned());
    let (action, changes) = match found {
        None => (Action::Create, Vec::new()),
        Some(found) => {
            wanted.applied_for.extend(&found.applied_for);
            if wanted.custom_role_arn.is_none() {
                wanted.custom_role_arn.clone_from(&found.custom_role_arn);
            }
            let changes = difference::template(&wanted, found);
            (update_where(&changes), changes)
        }
    };
    let (prefix, work) = (rule.prefix.as_str(), Work::Template(wanted));
    Item::new(Some(prefix), prefix, action, changes, work)
}

pub(super) fn rule(
    wanted: &CacheRule,
    secret: Result<&SeenSecret, &Error>,
    found: Option<&PullThroughRule>,
    own_account: Option<&str>,
    choices: Choices,
) -> Item {
    let prefix = wanted.prefix.as_str();
    let name = format!("{prefix} -> {}", wanted.upstream);
    let (arn, takes_secret) = match secret {
        Err(error) => {
            let waits = Error::WaitsForSecret {
                prefix: prefix.to_owned(),
                kind: error.kind(),
            };
            return Item::failed(prefix, Part::Rule, &name, waits);
        }
        Ok(SeenSecret::None) => (None, false),
        Ok(SeenSecret::Elsewhere { arn }) => (Some(arn.clone()), false),
        Ok(SeenSecret::Kept(kept)) => {
            let arn = kept.found.as_ref().map(|found| found.arn.clone());
            (arn, true)
        }
    };
    let new_secret = takes_secret && arn.is_none();
    let rule = PullThroughRule {
        prefix: prefix.to_owned(),
        upstream: wanted.upstream.host.clone(),
        upstream_prefix: wanted.upstream_prefix.clone(),
        credential_arn: arn,
        custom_role_arn: wanted.upstream_role_arn.clone(),
    };
    let (action, changes) = match found {
        None => {
            if let Some(owner) = owner_to_convince(&rule, &wanted.upstream, own_account) {
                let prefix = prefix.to_owned();
                let refused = Error::NeedsRole { prefix, owner };
                return Item::failed(&wanted.prefix, Part::Rule, &name, refused);
            }
            (Action::Create, Vec::new())
        }
        Some(found) => {
            let difference = difference::rule(&rule, new_secret, found);
            if difference.fixed.is_empty() {
                let changes = difference.updatable;
                (update_where(&changes), changes)
            } else if choices.allow_replace {
                (Action::Replace, difference.fixed)
            } else {
                let refused = Error::NeedsReplacement {
                    prefix: prefix.to_owned(),
                    changes: difference.fixed.join(", "),
                };
                return Item::failed(prefix, Part::Rule, &name, refused);
            }
        }
    };
    let work = Work::Rule(RuleWork {
        rule,
        takes_secret,
        by_hand: matches!(wanted.credential, CacheCredential::Manual),
    });
    Item::new(Some(prefix), &name, action, changes, work)
}

/// The other account that a rule without a role would have to convince: ECR creates none such.
fn owner_to_convince(
    rule: &PullThroughRule,
    upstream: &CacheUpstream,
    own_account: Option<&str>,
) -> Option<String> {
    let owner = upstream.account_id()?;
    let is_other = own_account.is_some_and(|own| own != owner);
    (is_other && rule.custom_role_arn.is_none()).then_some(owner)
}

/// What can be made as it shall be, and a failure for each thing that cannot.
pub(super) fn repository(seen: SeenRepository) -> Vec<Item> {
    let SeenRepository {
        prefix,
        repository,
        repairs,
        errors,
    } = seen;
    let (name, part) = (repository.as_str(), Part::Repository);
    let changes = repairs.changes();
    let mut items = Vec::new();
    if errors.is_empty() || !changes.is_empty() {
        let action = update_where(&changes);
        let work = Work::Repository(repairs);
        items.push(Item::new(Some(&prefix), name, action, changes, work));
    }
    let failed = errors.into_iter();
    items.extend(failed.map(|error| Item::failed(&prefix, part, name, error)));
    items
}

pub(super) fn scanning(wanted: &RegistryScanning, found: &RegistryScanning) -> Item {
    let mut changes = Vec::new();
    if wanted.enhanced != found.enhanced {
        changes.push("scan_type");
    }
    if wanted.rules.len() != found.rules.len()
        || !wanted.rules.iter().all(|rule| found.rules.contains(rule))
    {
        changes.push("filters");
    }
    let action = update_where(&changes);
    let work = Work::Scanning(wanted.clone());
    let name = "registry_scanning";
    Item::new(None, name, action, changes, work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_accounts_registry_takes_a_role() {
        let other = "210987654321.dkr.ecr.us-east-1.amazonaws.com";
        let own = Some("123456789012");
        for (upstream, role, own, owner) in [
            (other, None, own, Some("210987654321")),
            (other, Some("arn:role"), own, None),
            (other, None, Some("210987654321"), None),
            // A stand-in need not tell whose it is.
            (other, None, None, None),
            ("quay.io", None, own, None),
        ] {
            let rule = PullThroughRule {
                prefix: "ecr".to_owned(),
                upstream: upstream.to_owned(),
                upstream_prefix: None,
                credential_arn: None,
                custom_role_arn: role.map(str::to_owned),
            };
            let upstream = upstream.parse().unwrap();
            let found = owner_to_convince(&rule, &upstream, own);
            assert_eq!(found.as_deref(), owner, "{rule:?} {own:?}");
        }
        let error = Error::NeedsRole {
            prefix: "ecr".to_owned(),
            owner: "210987654321".to_owned(),
        };
        insta::assert_snapshot!(format!("{error}\n{}", error.hint().unwrap()), @r"
        the rule `ecr` reads the registry of account 210987654321, which takes a role
        write `custom_role_arn` under `pull_through_cache.ecr`
        ");
    }
}
