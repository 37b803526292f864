//! Does what a plan says.

use std::collections::BTreeMap;

use crate::ecr::CreationTemplate;
use crate::failure::{Failure as _, Kind};

use super::item::{Decision, RuleWork, Work};
use super::outcome::{Answer, Done, Outcome, Validation};
use super::secret::{self, KeptSecret, missing_tags};
use super::validate::validate;
use super::{Access, Action, Error, Part, Plan};

/// For how many days a deleted secret can be restored: the most that Secrets Manager knows.
const RECOVERY_DAYS: u8 = 30;

/// What became of the secrets of a run, by name.
#[derive(Default)]
struct Credentials {
    arns: BTreeMap<String, Result<String, Kind>>,
    /// Those that nobody can have filled in yet.
    new: Vec<String>,
}

/// Does what a plan says, one thing after another, and asks each upstream. What fails keeps nothing
/// else from being done but what needs it.
pub async fn apply(plan: Plan, access: &Access) -> Outcome {
    let mut credentials = Credentials::default();
    let mut failed = Vec::new();
    let mut outcome = Outcome {
        items: Vec::new(),
        validations: Vec::new(),
    };
    for item in plan.items {
        let (action, changes, result) = match item.decision {
            Ok(Decision {
                action,
                changes,
                work,
            }) => {
                // A rule that could not be changed has its secret still, and without its template
                // nobody would know whose the rest is.
                let action = match action {
                    Action::Delete if failed.contains(&item.prefix) => Action::Orphan,
                    action => action,
                };
                let result = credentials.work(action, work, access).await;
                (Some(action), changes, result)
            }
            Err(error) => (None, Vec::new(), Err(error)),
        };
        if result.is_err() && item.part != Part::Repository {
            failed.push(item.prefix.clone());
        }
        let result = result.map(|validation| outcome.validations.extend(validation));
        outcome.items.push(Done {
            prefix: item.prefix,
            part: item.part,
            name: item.name,
            action,
            changes,
            result,
        });
    }
    outcome
}

impl Credentials {
    /// One item.
    async fn work(
        &mut self,
        action: Action,
        work: Work,
        access: &Access,
    ) -> Result<Option<Validation>, Error> {
        match work {
            Work::Secret(secret) => {
                let kept = keep(&secret, action, access).await;
                let name = secret.wanted.name;
                if action == Action::Create {
                    self.new.push(name.clone());
                }
                let known = kept.as_ref().map(String::clone).map_err(Error::kind);
                self.arns.insert(name, known);
                kept?;
            }
            Work::OldSecret { arn } => {
                if action == Action::Delete {
                    let deleted = access.secrets.delete(&arn, RECOVERY_DAYS).await;
                    deleted.map_err(|source| secret::failed("delete", &arn, source))?;
                }
            }
            Work::Template(template) => change_template(&template, action, access).await?,
            Work::Rule(work) => return self.rule(work, action, access).await,
            Work::Repository(repairs) => repairs.make(&access.ecr).await?,
            Work::Scanning(scanning) => {
                if action == Action::Update {
                    access.ecr.put_registry_scanning(&scanning).await?;
                }
            }
        }
        Ok(None)
    }

    /// A rule, and what its upstream says to it.
    async fn rule(
        &self,
        work: RuleWork,
        action: Action,
        access: &Access,
    ) -> Result<Option<Validation>, Error> {
        let RuleWork {
            mut rule,
            takes_secret,
            by_hand,
        } = work;
        let secret = secret::name(&rule.prefix);
        if takes_secret {
            rule.credential_arn = match self.arns.get(&secret) {
                Some(Ok(arn)) => Some(arn.clone()),
                Some(Err(kind)) => {
                    return Err(Error::WaitsForSecret {
                        prefix: rule.prefix,
                        kind: *kind,
                    });
                }
                None => rule.credential_arn,
            };
        }
        match action {
            Action::Create => access.ecr.create_pull_through_rule(&rule).await?,
            Action::Update => access.ecr.update_pull_through_rule(&rule).await?,
            Action::Replace => {
                access.ecr.delete_pull_through_rule(&rule.prefix).await?;
                let created = access.ecr.create_pull_through_rule(&rule).await;
                created.map_err(|source| Error::NotReplaced {
                    prefix: rule.prefix.clone(),
                    source: Box::new(source),
                })?;
            }
            Action::Unchanged => {}
            Action::Delete => {
                access.ecr.delete_pull_through_rule(&rule.prefix).await?;
                return Ok(None);
            }
            Action::Orphan | Action::Foreign => return Ok(None),
        }
        let answer = if by_hand && self.new.contains(&secret) {
            Ok(Answer::SecretToFill)
        } else {
            validate(&rule, by_hand, &access.ecr).await
        };
        Ok(Some(Validation {
            prefix: rule.prefix,
            upstream: rule.upstream,
            answer,
        }))
    }
}

/// Makes a secret what it shall be, and returns its ARN.
async fn keep(secret: &KeptSecret, action: Action, access: &Access) -> Result<String, Error> {
    let KeptSecret {
        wanted,
        found,
        differs,
    } = secret;
    let name = wanted.name.as_str();
    let Some(found) = found else {
        let created = access.secrets.create(wanted).await;
        return created.map_err(|source| secret::failed("create", name, source));
    };
    if action == Action::Unchanged {
        return Ok(found.arn.clone());
    }
    let secrets = &access.secrets;
    if found.is_deleted {
        let restored = secrets.restore(&found.arn).await;
        restored.map_err(|source| secret::failed("restore", name, source))?;
    }
    if *differs {
        let put = secrets.put_value(&found.arn, &wanted.value).await;
        put.map_err(|source| secret::failed("update", name, source))?;
    }
    let tags = missing_tags(&wanted.tags, &found.tags);
    if !tags.is_empty() {
        let tagged = secrets.tag(&found.arn, &tags).await;
        tagged.map_err(|source| secret::failed("tag", name, source))?;
    }
    Ok(found.arn.clone())
}

async fn change_template(
    template: &CreationTemplate,
    action: Action,
    access: &Access,
) -> Result<(), Error> {
    let ecr = &access.ecr;
    match action {
        Action::Create => ecr.create_creation_template(template).await?,
        Action::Update => ecr.update_creation_template(template).await?,
        Action::Delete => ecr.delete_creation_template(&template.prefix).await?,
        Action::Replace | Action::Unchanged | Action::Orphan | Action::Foreign => {}
    }
    Ok(())
}
