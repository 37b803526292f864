//! The plan: what would be done to each secret, template and rule, and why. [`Plan::new`] is pure.

use crate::config::CacheSpecification;
use crate::ecr::PullThroughRule;

use super::item::{Action, Item, Part, RuleWork, Work};
use super::leftover::Leftover;
use super::mark::is_ours;
use super::observe::{Observation, observe};
use super::proposal;
use super::{Access, Error};

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

impl Plan {
    /// Decides for everything.
    pub(super) fn new(
        specification: &CacheSpecification,
        choices: Choices,
        seen: Observation,
    ) -> Self {
        let mut items = Vec::new();
        let own_account = seen.account_id.as_deref();
        let rules = specification.rules.iter().zip(seen.secrets);
        for (wanted, secret) in rules {
            let template = seen.templates.iter().find(|it| it.prefix == wanted.prefix);
            let rule = seen.rules.iter().find(|it| it.prefix == wanted.prefix);
            let rule = proposal::rule(wanted, secret.as_ref(), rule, own_account, choices);
            items.extend(proposal::secret(wanted, secret));
            items.push(proposal::template(wanted, template));
            items.push(rule);
        }
        items.extend(seen.existing.into_iter().flat_map(proposal::repository));
        if let (Some(wanted), Some(found)) = (&specification.scanning, &seen.scanning) {
            items.push(proposal::scanning(wanted, found));
        }
        let is_named = |prefix: &str| specification.rules.iter().any(|it| it.prefix == prefix);
        let is_marked = |prefix: &str| {
            let mut templates = seen.templates.iter();
            let template = templates.find(|template| template.prefix == prefix);
            template.is_some_and(|template| is_ours(template.description.as_deref()))
        };
        let left = |prefix: &str, name: &str, work| {
            let action = match (is_marked(prefix), choices.prune) {
                (false, _) => Action::Foreign,
                (true, false) => Action::Orphan,
                (true, true) => Action::Delete,
            };
            Item::new(Some(prefix), name, action, Vec::new(), work)
        };
        for rule in seen.rules.iter().filter(|rule| !is_named(&rule.prefix)) {
            let work = Work::Rule(RuleWork {
                rule: rule.clone(),
                takes_secret: false,
                by_hand: false,
            });
            items.push(left(&rule.prefix, &rule.prefix, work));
        }
        let stays = |rule: &PullThroughRule| {
            let is_its = |item: &&Item| {
                item.part == Part::Rule && item.prefix.as_ref() == Some(&rule.prefix)
            };
            let item = items.iter().find(is_its);
            item.is_none_or(|item| match &item.decision {
                Ok(decision) => !decision.action.is_change() && decision.action != Action::Orphan,
                Err(_) => true,
            })
        };
        let kept = seen.rules.iter().filter(|rule| stays(rule));
        let in_use: Vec<String> = kept
            .filter_map(|rule| rule.credential_arn.clone())
            .collect();
        for Leftover { prefix, name, arn } in seen.leftovers {
            match arn {
                Ok(arn) if in_use.contains(&arn) => {}
                Ok(arn) => items.push(left(&prefix, &name, Work::OldSecret { arn })),
                Err(error) => items.push(Item::failed(&prefix, Part::Secret, &name, error)),
            }
        }
        // Last, because it is what says whose the others are.
        for template in &seen.templates {
            let prefix = template.prefix.as_str();
            if !is_named(prefix) && is_marked(prefix) {
                let work = Work::Template(template.clone());
                items.push(left(prefix, prefix, work));
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
