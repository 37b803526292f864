//! Secrets that longshore made and the file does not need any more.

use crate::config::CacheRule;
use crate::ecr::CreationTemplate;
use crate::failure::{Failure as _, Kind};

use super::mark::is_ours;
use super::secret::{self, SeenSecret};
use super::{Access, Error};

/// A secret of longshore's that no rule of the file takes.
#[derive(Debug)]
pub(super) struct Leftover {
    /// The prefix that it was made for.
    pub(super) prefix: String,
    /// Its name.
    pub(super) name: String,
    /// Its ARN, or why nobody knows whether there is one.
    pub(super) arn: Result<String, Error>,
}

/// Looks for the secret of each prefix that longshore has a template for, where the file names the
/// prefix no more, or has another login for it or none. That a secret may not be looked up matters
/// only where the secret of a prefix that went is to go, too.
pub(super) async fn look(
    rules: &[CacheRule],
    secrets: &[Result<SeenSecret, Error>],
    templates: &[CreationTemplate],
    prunes: bool,
    access: &Access,
) -> Vec<Leftover> {
    let mut leftovers = Vec::new();
    for template in templates {
        let prefix = &template.prefix;
        let mut named = rules.iter().zip(secrets);
        let named = named.find(|(rule, _)| rule.prefix == *prefix);
        let is_needed = named.is_some_and(|(_, secret)| {
            !matches!(secret, Ok(SeenSecret::None | SeenSecret::Elsewhere { .. }))
        });
        if is_needed || !is_ours(template.description.as_deref()) {
            continue;
        }
        let name = secret::name(prefix);
        let arn = match secret::describe(&name, access).await {
            Ok(Some(found)) if found.is_deleted || !is_ours(found.description.as_deref()) => {
                continue;
            }
            Ok(Some(found)) if is_taken(&found.arn, secrets) => continue,
            Ok(Some(found)) => Ok(found.arn),
            Ok(None) => continue,
            // `cache policy` lets a manager look at the secrets that the file needs.
            Err(error) if error.kind() == Kind::Refused && (named.is_some() || !prunes) => continue,
            Err(error) => Err(error),
        };
        leftovers.push(Leftover {
            prefix: prefix.clone(),
            name,
            arn,
        });
    }
    leftovers
}

/// Whether the file names a secret itself.
fn is_taken(arn: &str, secrets: &[Result<SeenSecret, Error>]) -> bool {
    let mut secrets = secrets.iter();
    secrets.any(|secret| matches!(secret, Ok(SeenSecret::Elsewhere { arn: own }) if own == arn))
}
