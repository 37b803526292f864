//! Cached repositories that exist already: a template counts for new ones only.

use futures_util::stream::{self, StreamExt};
use serde_json::Value;

use crate::config::{CacheRule, READ_STATEMENT};
use crate::ecr::{
    CreationTemplate, Deviation, Difference, Ecr, Encryption, RepositoryDescription, StatedSettings,
};
use crate::image::Repository;

use super::{Access, Error};

/// Repositories that are looked at together.
const PARALLEL: usize = 8;

/// The file's key for who may read cached repositories.
const READERS: &str = "repository_read_access_arns";

/// A cached repository, as it is and as its template would make it.
#[derive(Debug)]
pub(super) struct SeenRepository {
    /// The prefix of the rule that it is cached by.
    pub(super) prefix: String,
    pub(super) repository: Repository,
    /// What can be made as it shall be.
    pub(super) repairs: Repairs,
    /// What cannot be read or changed.
    pub(super) errors: Vec<Error>,
}

/// What makes a repository what its template says.
#[derive(Debug)]
pub(super) struct Repairs {
    repository: Repository,
    arn: String,
    differences: Vec<Difference>,
    /// Whether it has a policy for readers whom the file no longer names.
    revokes: bool,
}

/// Looks at every repository that falls under one of these rules. What falls under `ROOT` does not
/// show whether it is cached, and is left alone.
pub(super) async fn look(
    rules: &[CacheRule],
    templates: &[CreationTemplate],
    access: &Access,
) -> Result<Vec<SeenRepository>, Error> {
    let found = access.ecr.repositories().await?;
    let cached = found.into_iter().filter_map(|found| {
        let rule = rule_of(&found.name, rules, templates)?;
        Some((rule, found.name.parse().ok()?, found))
    });
    let seen = stream::iter(cached)
        .map(|(rule, repository, found)| look_at(rule, repository, found, &access.ecr))
        .buffered(PARALLEL);
    Ok(seen.collect().await)
}

/// The rule whose template a repository would be created by, were it not there.
fn rule_of<'a>(
    name: &str,
    rules: &'a [CacheRule],
    templates: &[CreationTemplate],
) -> Option<&'a CacheRule> {
    let is_below = |prefix: &str| {
        let rest = name.strip_prefix(prefix);
        rest.is_some_and(|rest| rest.starts_with('/'))
    };
    let fitting = rules.iter().filter(|rule| is_below(&rule.prefix));
    let rule = fitting.max_by_key(|rule| rule.prefix.len())?;
    let is_closer = |other: &str| is_below(other) && other.len() > rule.prefix.len();
    let mut others = templates.iter();
    let taken = others.any(|template| is_closer(&template.prefix));
    (!taken).then_some(rule)
}

async fn look_at(
    rule: &CacheRule,
    repository: Repository,
    found: RepositoryDescription,
    ecr: &Ecr,
) -> SeenRepository {
    let stated = stated(&rule.template);
    let deviations = ecr.deviations(&repository, &found, &stated).await;
    let (mut differences, mut errors) = (Vec::new(), Vec::new());
    for Deviation { difference, .. } in deviations {
        match difference {
            Ok(Difference::Encryption { found, wanted }) => errors.push(Error::Encryption {
                repository: repository.clone(),
                found,
                wanted,
            }),
            Ok(difference) => differences.push(difference),
            Err(error) => errors.push(error.into()),
        }
    }
    let mut revokes = false;
    if stated.policy.is_none() {
        match ecr.repository_policy(&repository).await {
            Ok(policy) => revokes = policy.is_some_and(|policy| is_for_readers(&policy)),
            Err(error) => errors.push(error.into()),
        }
    }
    SeenRepository {
        prefix: rule.prefix.clone(),
        repairs: Repairs {
            repository: repository.clone(),
            arn: found.arn,
            differences,
            revokes,
        },
        repository,
        errors,
    }
}

/// What a template says of a repository. That it asks for no key of its own is nothing that one
/// with a key would lack.
fn stated(template: &CreationTemplate) -> StatedSettings {
    let encryption = &template.encryption;
    StatedSettings {
        tag_mutability: Some(template.tag_mutability.clone()),
        scan_on_push: None,
        encryption: (*encryption != Encryption::Aes256).then(|| encryption.clone()),
        lifecycle_policy: template.lifecycle_policy.clone(),
        policy: template.policy.clone(),
        tags: template.tags.clone(),
    }
}

/// Whether a policy is what the file's readers once were given, and nothing more.
fn is_for_readers(policy: &str) -> bool {
    let policy: Value = serde_json::from_str(policy).unwrap_or_default();
    let statements = policy["Statement"].as_array();
    let statements = statements.map_or(std::slice::from_ref(&policy["Statement"]), Vec::as_slice);
    matches!(statements, [only] if only["Sid"] == READ_STATEMENT)
}

impl Repairs {
    /// What differs: keys of the file.
    pub(super) fn changes(&self) -> Vec<&'static str> {
        let key = |difference: &Difference| match difference {
            Difference::TagMutability { .. } => "image_tag_mutability",
            Difference::Policy { .. } => READERS,
            other => other.setting(),
        };
        let changes = self.differences.iter().map(key);
        changes.chain(self.revokes.then_some(READERS)).collect()
    }

    /// Makes the repository what its template says.
    pub(super) async fn make(&self, ecr: &Ecr) -> Result<(), Error> {
        for difference in &self.differences {
            ecr.repair(&self.repository, &self.arn, difference).await?;
        }
        if self.revokes {
            ecr.delete_repository_policy(&self.repository).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_file_once_gave_to_readers_is_taken_away() {
        for (policy, expected) in [
            (r#"{"Statement": [{"Sid": "ReadCachedImages"}]}"#, true),
            (r#"{"Statement": {"Sid": "ReadCachedImages"}}"#, true),
            (r#"{"Statement": [{"Sid": "Other"}]}"#, false),
            (
                r#"{"Statement": [{"Sid": "ReadCachedImages"}, {"Sid": "Other"}]}"#,
                false,
            ),
            ("{}", false),
            ("no JSON", false),
        ] {
            assert_eq!(is_for_readers(policy), expected, "{policy}");
        }
    }
}
