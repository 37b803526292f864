//! The plan: what would be done to each secret, template and rule, and why. [`Plan::new`] is pure.

use crate::config::{CacheCredential, CacheRule, CacheSpecification};
use crate::ecr::{CreationTemplate, PullThroughRule, RegistryScanning};
use crate::failure::Failure as _;

use super::existing::{Repairs, SeenRepository};
use super::observe::{Observation, observe};
use super::secret::{self, KeptSecret, SeenSecret, missing_tags};
use super::{Access, Error, difference};

/// The description of what longshore makes, by which it knows it again. Rules have none; a rule is
/// longshore's where the template of its prefix is.
pub(super) const MARK: &str = "Managed by longshore";

/// What the user lets a run do beyond creating and updating.
#[derive(Clone, Copy, Debug, Default)]
pub struct Choices {
    /// Whether a rule may be deleted and made anew.
    pub allow_replace: bool,
    /// Whether longshore's own things that the file no longer names are deleted.
    pub prune: bool,
    /// Whether cached repositories that exist are brought in line with their templates.
    pub existing: bool,
}

/// What would be done, and why.
#[derive(Debug)]
pub struct Plan {
    /// In the order in which it would be done.
    pub items: Vec<Item>,
}

/// One thing and what would become of it.
#[derive(Debug)]
pub struct Item {
    /// The prefix that it belongs to; absent for a setting of the whole registry.
    pub prefix: Option<String>,
    /// What it is.
    pub part: Part,
    /// Its name.
    pub name: String,
    /// What would be done, or why that cannot be said.
    pub decision: Result<Decision, Error>,
}

/// What something is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Part {
    /// A secret of Secrets Manager.
    Secret,
    /// A repository creation template.
    Template,
    /// A rule of the pull-through cache.
    Rule,
    /// A cached repository.
    Repository,
    /// How the registry scans its images.
    Scanning,
}

/// What would be done to one thing, and why.
#[derive(Debug)]
pub struct Decision {
    /// What would be done.
    pub action: Action,
    /// What differs: keys of the file.
    pub changes: Vec<&'static str>,
    /// With what.
    pub(super) work: Work,
}

/// What would be done to one thing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    /// It is made.
    Create,
    /// It is changed.
    Update,
    /// It is deleted and made anew.
    Replace,
    /// Nothing: it is as it shall be.
    Unchanged,
    /// It is deleted: the file no longer names it.
    Delete,
    /// Nothing: the file no longer names it, and nobody said that it may go.
    Orphan,
    /// Nothing: the file does not name it, and it is somebody else's.
    Foreign,
}

/// What is needed to do it.
#[derive(Debug)]
pub(super) enum Work {
    Secret(KeptSecret),
    /// A secret that is deleted.
    OldSecret {
        arn: String,
    },
    Template(CreationTemplate),
    Rule(RuleWork),
    Repository(Repairs),
    Scanning(RegistryScanning),
}

/// A rule as it shall be.
#[derive(Debug)]
pub(super) struct RuleWork {
    pub(super) rule: PullThroughRule,
    /// Whether the secret of the same prefix is to be its credential.
    pub(super) takes_secret: bool,
    /// The secret that a person fills in.
    pub(super) by_hand: Option<String>,
}

/// Looks at everything and decides what to do.
pub async fn make_plan(
    specification: &CacheSpecification,
    choices: Choices,
    access: &Access,
) -> Result<Plan, Error> {
    access.check_account().await?;
    let seen = observe(specification, choices, access).await?;
    Ok(Plan::new(specification, choices, seen))
}

/// Whether a description is longshore's.
pub(super) fn is_ours(description: Option<&str>) -> bool {
    description.is_some_and(|text| text.starts_with(MARK))
}

impl Plan {
    /// Decides for everything.
    pub(super) fn new(
        specification: &CacheSpecification,
        choices: Choices,
        seen: Observation,
    ) -> Self {
        let mut items = Vec::new();
        let rules = specification.rules.iter().zip(seen.secrets);
        for (wanted, secret) in rules {
            let template = seen.templates.iter().find(|it| it.prefix == wanted.prefix);
            let rule = seen.rules.iter().find(|it| it.prefix == wanted.prefix);
            let rule_item = rule_item(wanted, secret.as_ref(), rule, choices);
            items.extend(secret_item(wanted, secret));
            items.push(template_item(wanted, template));
            items.push(rule_item);
        }
        items.extend(seen.existing.into_iter().flat_map(repository_items));
        if let (Some(wanted), Some(found)) = (&specification.scanning, &seen.scanning) {
            items.push(scanning_item(wanted, found));
        }
        let is_named = |prefix: &str| specification.rules.iter().any(|it| it.prefix == prefix);
        let is_ours = |prefix: &str| {
            let mut templates = seen.templates.iter();
            let template = templates.find(|template| template.prefix == prefix);
            template.is_some_and(|template| is_ours(template.description.as_deref()))
        };
        let left = |prefix: &str, part, name: &str, work| {
            let action = match (is_ours(prefix), choices.prune) {
                (false, _) => Action::Foreign,
                (true, false) => Action::Orphan,
                (true, true) => Action::Delete,
            };
            Item::new(Some(prefix), part, name, action, Vec::new(), work)
        };
        for rule in seen.rules.iter().filter(|rule| !is_named(&rule.prefix)) {
            let work = Work::Rule(RuleWork {
                rule: rule.clone(),
                takes_secret: false,
                by_hand: None,
            });
            items.push(left(&rule.prefix, Part::Rule, &rule.prefix, work));
        }
        for (name, arn) in seen.orphaned_secrets {
            let prefix = name.split_once('/').map_or("", |(_, prefix)| prefix);
            items.push(left(prefix, Part::Secret, &name, Work::OldSecret { arn }));
        }
        // Last, because it is what says whose the others are.
        for template in &seen.templates {
            let prefix = template.prefix.as_str();
            if !is_named(prefix) && is_ours(prefix) {
                let work = Work::Template(template.clone());
                items.push(left(prefix, Part::Template, prefix, work));
            }
        }
        Self { items }
    }

    /// Whether applying the plan would change anything.
    pub fn has_changes(&self) -> bool {
        self.items.iter().any(|item| {
            let decision = item.decision.as_ref();
            decision.is_ok_and(|decision| decision.action.is_change())
        })
    }
}

impl Action {
    /// Whether something is changed.
    pub fn is_change(self) -> bool {
        match self {
            Self::Create | Self::Update | Self::Replace | Self::Delete => true,
            Self::Unchanged | Self::Orphan | Self::Foreign => false,
        }
    }
}

impl Item {
    fn new(
        prefix: Option<&str>,
        part: Part,
        name: &str,
        action: Action,
        changes: Vec<&'static str>,
        work: Work,
    ) -> Self {
        Self {
            prefix: prefix.map(str::to_owned),
            part,
            name: name.to_owned(),
            decision: Ok(Decision {
                action,
                changes,
                work,
            }),
        }
    }

    fn failed(prefix: &str, part: Part, name: &str, error: Error) -> Self {
        Self {
            prefix: Some(prefix.to_owned()),
            part,
            name: name.to_owned(),
            decision: Err(error),
        }
    }
}

fn update_where(changes: &[&'static str]) -> Action {
    match changes {
        [] => Action::Unchanged,
        _ => Action::Update,
    }
}

/// `None` where longshore keeps no secret for the rule.
fn secret_item(wanted: &CacheRule, seen: Result<SeenSecret, Error>) -> Option<Item> {
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
    Some(Item::new(
        Some(prefix),
        Part::Secret,
        &name,
        action,
        changes,
        work,
    ))
}

/// What the file does not decide stays: what else a template is applied for, and a role, which ECR
/// does not take away.
fn template_item(rule: &CacheRule, found: Option<&CreationTemplate>) -> Item {
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
    Item::new(Some(prefix), Part::Template, prefix, action, changes, work)
}

fn rule_item(
    wanted: &CacheRule,
    secret: Result<&SeenSecret, &Error>,
    found: Option<&PullThroughRule>,
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
        None => (Action::Create, Vec::new()),
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
    let is_manual = matches!(wanted.credential, CacheCredential::Manual);
    let work = Work::Rule(RuleWork {
        rule,
        takes_secret,
        by_hand: is_manual.then(|| secret::name(prefix)),
    });
    Item::new(Some(prefix), Part::Rule, &name, action, changes, work)
}

/// What can be made as it shall be, and a failure for each thing that cannot.
fn repository_items(seen: SeenRepository) -> Vec<Item> {
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
        items.push(Item::new(Some(&prefix), part, name, action, changes, work));
    }
    let failed = errors.into_iter();
    items.extend(failed.map(|error| Item::failed(&prefix, part, name, error)));
    items
}

fn scanning_item(wanted: &RegistryScanning, found: &RegistryScanning) -> Item {
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
    Item::new(None, Part::Scanning, name, action, changes, work)
}
