//! Where a repository that exists differs from what somebody says of it, and how to change that.

use std::collections::BTreeMap;
use std::fmt;

use futures_util::join;

use super::{
    Ecr, Encryption, Error, RepositoryDescription, StatedSettings, TagMutability, is_same_policy,
};
use crate::image::Repository;

const LIFECYCLE_POLICY: &str = "lifecycle_policy";
const POLICY: &str = "policy";
const TAGS: &str = "tags";

/// A setting of a repository that is not what somebody says, or about which that is not known.
#[derive(Debug)]
pub struct Deviation {
    /// The setting, as the file calls it: `scan_on_push`.
    pub setting: &'static str,
    /// What differs, or why nobody knows.
    pub difference: Result<Difference, Error>,
}

/// How a setting differs. It prints as what follows the setting's name: "is false; the file says
/// true".
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Difference {
    /// Whether tags can be overwritten.
    TagMutability {
        /// What it is.
        found: TagMutability,
        /// What it shall be.
        wanted: TagMutability,
    },
    /// Whether ECR scans each pushed image.
    ScanOnPush {
        /// What it is.
        found: bool,
        /// What it shall be.
        wanted: bool,
    },
    /// How ECR encrypts the repository, which nothing can change.
    Encryption {
        /// What it is.
        found: Encryption,
        /// What it shall be.
        wanted: Encryption,
    },
    /// The lifecycle policy, as ECR's own JSON text.
    LifecyclePolicy {
        /// What it is.
        found: Option<String>,
        /// What it shall be.
        wanted: String,
    },
    /// The repository policy, as ECR's own JSON text.
    Policy {
        /// What it is.
        found: Option<String>,
        /// What it shall be.
        wanted: String,
    },
    /// Resource tags: those only that differ.
    Tags {
        /// The values that there are.
        found: BTreeMap<String, String>,
        /// The values that there shall be.
        wanted: BTreeMap<String, String>,
    },
}

impl Difference {
    /// The setting, as the file calls it: `scan_on_push`.
    pub fn setting(&self) -> &'static str {
        match self {
            Self::TagMutability { .. } => "tag_immutability",
            Self::ScanOnPush { .. } => "scan_on_push",
            Self::Encryption { .. } => "encryption",
            Self::LifecyclePolicy { .. } => LIFECYCLE_POLICY,
            Self::Policy { .. } => POLICY,
            Self::Tags { .. } => TAGS,
        }
    }

    /// Why a repository's setting cannot be changed, where nothing can.
    pub fn obstacle(&self, repository: &Repository) -> Option<Error> {
        match self {
            Self::Encryption { found, wanted } => Some(Error::FixedEncryption {
                repository: repository.clone(),
                found: found.clone(),
                wanted: wanted.clone(),
            }),
            _ => None,
        }
    }
}

impl From<Difference> for Deviation {
    fn from(difference: Difference) -> Self {
        Self {
            setting: difference.setting(),
            difference: Ok(difference),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TagMutability { found, wanted } => is(formatter, found, wanted),
            Self::ScanOnPush { found, wanted } => is(formatter, found, wanted),
            Self::Encryption { found, wanted } => is(formatter, found, wanted),
            Self::LifecyclePolicy { found: None, .. } | Self::Policy { found: None, .. } => {
                formatter.write_str("is missing")
            }
            Self::LifecyclePolicy { .. } | Self::Policy { .. } => {
                formatter.write_str("says something else than the file's")
            }
            Self::Tags { found, wanted } => {
                let tag = |key: &String| match found.get(key) {
                    Some(value) => format!("`{key}` is `{value}`"),
                    None => format!("`{key}` is missing"),
                };
                let tags: Vec<String> = wanted.keys().map(tag).collect();
                formatter.write_str(&tags.join(", "))
            }
        }
    }
}

fn is<T: fmt::Display>(formatter: &mut fmt::Formatter<'_>, found: &T, wanted: &T) -> fmt::Result {
    write!(formatter, "is {found}; the file says {wanted}")
}

/// What a description shows of the differences.
fn described(found: &RepositoryDescription, stated: &StatedSettings) -> Vec<Difference> {
    let mut differences = Vec::new();
    if let Some(wanted) = &stated.tag_mutability
        && !wanted.is_same_as(&found.tag_mutability)
    {
        differences.push(Difference::TagMutability {
            found: found.tag_mutability.clone(),
            wanted: wanted.clone(),
        });
    }
    if let Some(wanted) = stated.scan_on_push
        && wanted != found.scan_on_push
    {
        differences.push(Difference::ScanOnPush {
            found: found.scan_on_push,
            wanted,
        });
    }
    if let Some(wanted) = &stated.encryption
        && !is_same_encryption(wanted, &found.encryption)
    {
        differences.push(Difference::Encryption {
            found: found.encryption.clone(),
            wanted: wanted.clone(),
        });
    }
    differences
}

/// ECR tells the key that an alias stood for at the time, so that an alias says no more than that
/// there is a key.
fn is_same_encryption(wanted: &Encryption, found: &Encryption) -> bool {
    match (wanted, found) {
        (Encryption::Kms { key_arn }, Encryption::Kms { .. }) if key_arn.contains(":alias/") => {
            true
        }
        _ => wanted == found,
    }
}

/// The wanted tags that are missing or have another value.
fn differing_tags(
    mut found: BTreeMap<String, String>,
    wanted: &BTreeMap<String, String>,
) -> Option<Difference> {
    let differs = |(key, value): &(&String, &String)| found.get(*key) != Some(*value);
    let wanted: BTreeMap<String, String> = wanted
        .iter()
        .filter(differs)
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    found.retain(|key, _| wanted.contains_key(key));
    (!wanted.is_empty()).then_some(Difference::Tags { found, wanted })
}

impl Ecr {
    /// Where a repository is not what is stated, in the order of the file's keys. Policies and tags
    /// take a request each, and only where something is stated of them; what cannot be read keeps
    /// nothing else from being compared.
    pub async fn deviations(
        &self,
        repository: &Repository,
        description: &RepositoryDescription,
        stated: &StatedSettings,
    ) -> Vec<Deviation> {
        let lifecycle_policy = async {
            let wanted = stated.lifecycle_policy.as_ref()?;
            let found = self.lifecycle_policy(repository).await;
            policy_deviation(LIFECYCLE_POLICY, wanted, found, |found, wanted| {
                Difference::LifecyclePolicy { found, wanted }
            })
        };
        let policy = async {
            let wanted = stated.policy.as_ref()?;
            let found = self.repository_policy(repository).await;
            policy_deviation(POLICY, wanted, found, |found, wanted| Difference::Policy {
                found,
                wanted,
            })
        };
        let tags = async {
            if stated.tags.is_empty() {
                return None;
            }
            let found = self.repository_tags(repository, &description.arn).await;
            let difference = found.map(|found| differing_tags(found, &stated.tags));
            Some(Deviation {
                setting: TAGS,
                difference: difference.transpose()?,
            })
        };
        let (lifecycle_policy, policy, tags) = join!(lifecycle_policy, policy, tags);
        let described = described(description, stated).into_iter();
        let asked = [lifecycle_policy, policy, tags].into_iter().flatten();
        described.map(Deviation::from).chain(asked).collect()
    }

    /// Makes a repository what is wanted. Its ARN is in its
    /// [description](RepositoryDescription::arn). Resource tags that nobody wants stay.
    pub async fn repair(
        &self,
        repository: &Repository,
        arn: &str,
        difference: &Difference,
    ) -> Result<(), Error> {
        match difference {
            Difference::TagMutability { wanted, .. } => {
                self.set_tag_mutability(repository, wanted).await
            }
            Difference::ScanOnPush { wanted, .. } => {
                self.set_scan_on_push(repository, *wanted).await
            }
            Difference::Encryption { .. } => difference.obstacle(repository).map_or(Ok(()), Err),
            Difference::LifecyclePolicy { wanted, .. } => {
                self.replace_lifecycle_policy(repository, wanted).await
            }
            Difference::Policy { wanted, .. } => {
                self.replace_repository_policy(repository, wanted).await
            }
            Difference::Tags { wanted, .. } => self.tag_repository(repository, arn, wanted).await,
        }
    }
}

fn policy_deviation(
    setting: &'static str,
    wanted: &str,
    found: Result<Option<String>, Error>,
    difference: impl FnOnce(Option<String>, String) -> Difference,
) -> Option<Deviation> {
    let difference = match found {
        Ok(Some(found)) if is_same_policy(wanted, &found) => return None,
        Ok(found) => Ok(difference(found, wanted.to_owned())),
        Err(error) => Err(error),
    };
    Some(Deviation {
        setting,
        difference,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::stand_in::{StandIn, refusal};
    use super::*;
    use crate::failure::{Failure as _, chain};

    fn repository() -> Repository {
        "ecsclone/redis".parse().unwrap()
    }

    fn description() -> RepositoryDescription {
        RepositoryDescription {
            name: repository().to_string(),
            arn: "arn:redis".to_owned(),
            tag_mutability: TagMutability::Immutable {
                except: vec!["latest".to_owned(), "dev-*".to_owned()],
            },
            scan_on_push: false,
            encryption: Encryption::Aes256,
        }
    }

    fn tags(tags: &[(&str, &str)]) -> BTreeMap<String, String> {
        let tags = tags.iter();
        tags.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn key(arn: &str) -> Encryption {
        Encryption::Kms {
            key_arn: arn.to_owned(),
        }
    }

    fn everything() -> StatedSettings {
        StatedSettings {
            tag_mutability: Some(TagMutability::Mutable),
            scan_on_push: Some(true),
            encryption: Some(key("arn:key")),
            lifecycle_policy: Some(r#"{"rules": [1]}"#.to_owned()),
            policy: Some(r#"{"Statement": [1]}"#.to_owned()),
            tags: tags(&[("team", "a"), ("env", "prod"), ("kept", "yes")]),
        }
    }

    fn lines(deviations: &[Deviation]) -> String {
        let lines = deviations.iter().map(|it| match &it.difference {
            Ok(difference) => format!("{} {difference}", it.setting),
            Err(error) => format!("{}: {}: {:?}", it.setting, chain(error), error.hint()),
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[tokio::test]
    async fn what_is_not_stated_is_not_asked_for() {
        let api = StandIn::answering([]).await;
        let ecr = api.ecr(None);
        let same = StatedSettings {
            tag_mutability: Some(TagMutability::Immutable {
                except: vec!["dev-*".to_owned(), "latest".to_owned()],
            }),
            scan_on_push: Some(false),
            encryption: Some(Encryption::Aes256),
            ..StatedSettings::default()
        };
        for stated in [StatedSettings::default(), same] {
            let deviations = ecr.deviations(&repository(), &description(), &stated).await;
            assert_eq!(lines(&deviations), "");
        }
        assert_eq!(api.calls(), []);
    }

    #[tokio::test]
    async fn every_setting_is_compared_and_repaired() {
        let answers = [
            refusal("LifecyclePolicyNotFoundException", "there is none"),
            (200, json!({"policyText": r#"{"Statement": [2]}"#})),
            (
                200,
                json!({"tags": [
                    {"Key": "env", "Value": "dev"},
                    {"Key": "kept", "Value": "yes"},
                    {"Key": "theirs", "Value": "1"},
                ]}),
            ),
        ];
        let done = std::iter::repeat_n((200, json!({})), 5);
        let api = StandIn::answering(answers.into_iter().chain(done)).await;
        let ecr = api.ecr(None);
        let deviations = ecr
            .deviations(&repository(), &description(), &everything())
            .await;
        insta::assert_snapshot!(lines(&deviations));
        let mut fixed = String::new();
        for deviation in deviations {
            let difference = deviation.difference.unwrap();
            let repaired = ecr.repair(&repository(), "arn:redis", &difference).await;
            let obstacle = difference.obstacle(&repository());
            assert_eq!(repaired.is_err(), obstacle.is_some(), "{difference}");
            if let Err(error) = repaired {
                fixed = format!("{error}\n{}", error.hint().unwrap());
            }
        }
        insta::assert_snapshot!(fixed);
        insta::assert_json_snapshot!(api.calls()[3..]);
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_told_beside_the_rest() {
        let denied = refusal(
            "AccessDeniedException",
            "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: \
             ecr:GetLifecyclePolicy on resource: x",
        );
        let api = StandIn::answering([denied]).await;
        let stated = StatedSettings {
            policy: None,
            tags: BTreeMap::new(),
            ..everything()
        };
        let deviations = api
            .ecr(None)
            .deviations(&repository(), &description(), &stated)
            .await;
        insta::assert_snapshot!(lines(&deviations));
    }

    #[test]
    fn an_alias_says_no_more_than_that_there_is_a_key() {
        let encrypted = RepositoryDescription {
            encryption: key("arn:aws:kms:eu-west-1:123456789012:key/k"),
            ..description()
        };
        let alias = StatedSettings {
            encryption: Some(key("arn:aws:kms:eu-west-1:123456789012:alias/mine")),
            ..StatedSettings::default()
        };
        assert_eq!(described(&encrypted, &alias), []);
        assert_eq!(described(&description(), &alias).len(), 1);
    }
}
