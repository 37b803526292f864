//! The repositories of a registry.

use aws_sdk_ecr::operation::create_repository::CreateRepositoryError;
use aws_sdk_ecr::operation::describe_repositories::DescribeRepositoriesError;
use aws_sdk_ecr::types::{
    EncryptionConfiguration, EncryptionType, ImageScanningConfiguration, ImageTagMutability,
    ImageTagMutabilityExclusionFilter, ImageTagMutabilityExclusionFilterType, Repository as Found,
    Tag as ResourceTag,
};
use tracing::debug;

use super::{Ecr, Encryption, Error, RepositorySettings, TagMutability};
use crate::aws;
use crate::image::Repository;

/// A repository as it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RepositoryDescription {
    /// Its Amazon Resource Name.
    pub arn: String,
    /// Its name with its registry's host, as Docker writes it.
    pub uri: String,
    /// Whether tags can be overwritten.
    pub tag_mutability: TagMutability,
}

/// What became of the wish for a repository.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Creation {
    /// It was created, with its settings.
    Created,
    /// It existed, and its settings were left as they are.
    AlreadyExisted,
}

impl Ecr {
    /// Looks a repository up; `None` when it does not exist.
    pub async fn describe_repository(
        &self,
        repository: &Repository,
    ) -> Result<Option<RepositoryDescription>, Error> {
        let answer = self
            .client
            .describe_repositories()
            .set_registry_id(self.account_id.clone())
            .repository_names(repository.as_str())
            .send()
            .await;
        match answer {
            Ok(output) => Ok(output.repositories().first().map(describe)),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DescribeRepositoriesError::is_repository_not_found_exception) =>
            {
                Ok(None)
            }
            Err(error) => Err(Error::Describe {
                repository: repository.clone(),
                source: aws::Error::from_sdk("ecr", "DescribeRepositories", error),
            }),
        }
    }

    /// Creates a repository with its policies. One that exists is left as it is: two images of one
    /// new repository may ask for it at the same time.
    pub async fn create_repository(
        &self,
        repository: &Repository,
        settings: &RepositorySettings,
    ) -> Result<Creation, Error> {
        let (mutability, exempt) = mutability(&settings.tag_mutability);
        let answer = self
            .client
            .create_repository()
            .set_registry_id(self.account_id.clone())
            .repository_name(repository.as_str())
            .image_tag_mutability(mutability)
            .set_image_tag_mutability_exclusion_filters(exempt)
            .image_scanning_configuration(
                ImageScanningConfiguration::builder()
                    .scan_on_push(settings.scan_on_push)
                    .build(),
            )
            .encryption_configuration(encryption(&settings.encryption))
            .set_tags(resource_tags(settings))
            .send()
            .await;
        match answer {
            Ok(_) => debug!(%repository, "ecr CreateRepository"),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(CreateRepositoryError::is_repository_already_exists_exception) =>
            {
                return Ok(Creation::AlreadyExisted);
            }
            Err(error) => {
                return Err(Error::Create {
                    repository: repository.clone(),
                    source: aws::Error::from_sdk("ecr", "CreateRepository", error),
                });
            }
        }
        if let Some(policy) = &settings.lifecycle_policy {
            self.put_lifecycle_policy(repository, policy).await?;
        }
        if let Some(policy) = &settings.policy {
            self.set_repository_policy(repository, policy).await?;
        }
        Ok(Creation::Created)
    }

    async fn put_lifecycle_policy(&self, repository: &Repository, text: &str) -> Result<(), Error> {
        self.client
            .put_lifecycle_policy()
            .set_registry_id(self.account_id.clone())
            .repository_name(repository.as_str())
            .lifecycle_policy_text(text)
            .send()
            .await
            .map(drop)
            .map_err(|error| Error::Policy {
                repository: repository.clone(),
                policy: "lifecycle policy",
                source: aws::Error::from_sdk("ecr", "PutLifecyclePolicy", error),
            })
    }

    async fn set_repository_policy(
        &self,
        repository: &Repository,
        text: &str,
    ) -> Result<(), Error> {
        self.client
            .set_repository_policy()
            .set_registry_id(self.account_id.clone())
            .repository_name(repository.as_str())
            .policy_text(text)
            .send()
            .await
            .map(drop)
            .map_err(|error| Error::Policy {
                repository: repository.clone(),
                policy: "repository policy",
                source: aws::Error::from_sdk("ecr", "SetRepositoryPolicy", error),
            })
    }
}

fn describe(found: &Found) -> RepositoryDescription {
    let patterns = || {
        let filters = found.image_tag_mutability_exclusion_filters();
        filters.iter().map(|it| it.filter().to_owned()).collect()
    };
    RepositoryDescription {
        arn: found.repository_arn().unwrap_or_default().to_owned(),
        uri: found.repository_uri().unwrap_or_default().to_owned(),
        tag_mutability: match found.image_tag_mutability() {
            Some(ImageTagMutability::Immutable) => TagMutability::Immutable { except: Vec::new() },
            Some(ImageTagMutability::ImmutableWithExclusion) => {
                TagMutability::Immutable { except: patterns() }
            }
            Some(ImageTagMutability::MutableWithExclusion) => TagMutability::MutableExcept {
                immutable: patterns(),
            },
            _ => TagMutability::Mutable,
        },
    }
}

fn mutability(
    mutability: &TagMutability,
) -> (
    ImageTagMutability,
    Option<Vec<ImageTagMutabilityExclusionFilter>>,
) {
    let filters = |patterns: &[String]| Some(patterns.iter().map(exclusion).collect());
    match mutability {
        TagMutability::Mutable => (ImageTagMutability::Mutable, None),
        TagMutability::Immutable { except } if except.is_empty() => {
            (ImageTagMutability::Immutable, None)
        }
        TagMutability::Immutable { except } => {
            (ImageTagMutability::ImmutableWithExclusion, filters(except))
        }
        TagMutability::MutableExcept { immutable } => {
            (ImageTagMutability::MutableWithExclusion, filters(immutable))
        }
    }
}

fn exclusion(pattern: &String) -> ImageTagMutabilityExclusionFilter {
    ImageTagMutabilityExclusionFilter::builder()
        .filter_type(ImageTagMutabilityExclusionFilterType::Wildcard)
        .filter(pattern)
        .build()
        .expect("type and pattern are set")
}

fn encryption(encryption: &Encryption) -> EncryptionConfiguration {
    let builder = EncryptionConfiguration::builder();
    let builder = match encryption {
        Encryption::Aes256 => builder.encryption_type(EncryptionType::Aes256),
        Encryption::Kms { key_arn } => builder
            .encryption_type(EncryptionType::Kms)
            .kms_key(key_arn),
    };
    builder.build().expect("the type is set")
}

fn resource_tags(settings: &RepositorySettings) -> Option<Vec<ResourceTag>> {
    let tags = settings.tags.iter().map(|(key, value)| {
        let builder = ResourceTag::builder().key(key).value(value);
        builder.build().expect("key and value are set")
    });
    (!settings.tags.is_empty()).then(|| tags.collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::super::stand_in::{StandIn, refusal};
    use super::*;
    use crate::failure::{Failure as _, Kind};

    fn repository() -> Repository {
        "ecsclone/redis".parse().unwrap()
    }

    fn everything() -> RepositorySettings {
        RepositorySettings {
            tag_mutability: TagMutability::Immutable {
                except: vec!["latest".to_owned(), "dev-*".to_owned()],
            },
            scan_on_push: true,
            encryption: Encryption::Kms {
                key_arn: "arn:aws:kms:eu-west-1:123456789012:key/k".to_owned(),
            },
            lifecycle_policy: Some(r#"{"rules": []}"#.to_owned()),
            policy: Some(r#"{"Statement": []}"#.to_owned()),
            tags: BTreeMap::from([("team".to_owned(), "platform".to_owned())]),
        }
    }

    #[tokio::test]
    async fn creates_with_every_setting() {
        let empty = || (200, json!({}));
        let api = StandIn::answering([empty(), empty(), empty()]).await;
        let ecr = api.ecr(Some("210987654321"));
        let creation = ecr.create_repository(&repository(), &everything()).await;
        assert_eq!(creation.unwrap(), Creation::Created);
        insta::assert_json_snapshot!(api.calls());
    }

    #[tokio::test]
    async fn creates_with_the_defaults() {
        let api = StandIn::answering([(200, json!({}))]).await;
        let settings = RepositorySettings::default();
        let ecr = api.ecr(None);
        let creation = ecr.create_repository(&repository(), &settings).await;
        assert_eq!(creation.unwrap(), Creation::Created);
        insta::assert_json_snapshot!(api.calls());
    }

    #[tokio::test]
    async fn leaves_an_existing_repository_alone() {
        let exists = refusal("RepositoryAlreadyExistsException", "it exists");
        let api = StandIn::answering([exists]).await;
        let creation = api
            .ecr(None)
            .create_repository(&repository(), &everything())
            .await;
        assert_eq!(creation.unwrap(), Creation::AlreadyExisted);
        assert_eq!(api.calls().len(), 1);
    }

    #[tokio::test]
    async fn says_what_a_new_repository_lacks() {
        let denied = refusal(
            "AccessDeniedException",
            "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: \
             ecr:SetRepositoryPolicy on resource: arn:aws:ecr:eu-west-1:123456789012:repository/x",
        );
        let api = StandIn::answering([(200, json!({})), (200, json!({})), denied]).await;
        let creation = api
            .ecr(None)
            .create_repository(&repository(), &everything())
            .await;
        let error = creation.unwrap_err();
        assert_eq!(error.kind(), Kind::Refused);
        insta::assert_snapshot!(format!("{error}\n{}", error.hint().unwrap()));
    }

    #[tokio::test]
    async fn describes_what_exists() {
        let absent = refusal("RepositoryNotFoundException", "it does not exist");
        let found = json!({"repositories": [{
            "repositoryArn": "arn:aws:ecr:eu-west-1:123456789012:repository/ecsclone/redis",
            "repositoryUri": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/ecsclone/redis",
            "imageTagMutability": "MUTABLE_WITH_EXCLUSION",
            "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "v*"}],
        }]});
        let api = StandIn::answering([absent, (200, found)]).await;
        let ecr = api.ecr(None);
        assert_eq!(ecr.describe_repository(&repository()).await.unwrap(), None);
        let description = RepositoryDescription {
            arn: "arn:aws:ecr:eu-west-1:123456789012:repository/ecsclone/redis".to_owned(),
            uri: "123456789012.dkr.ecr.eu-west-1.amazonaws.com/ecsclone/redis".to_owned(),
            tag_mutability: TagMutability::MutableExcept {
                immutable: vec!["v*".to_owned()],
            },
        };
        assert_eq!(
            ecr.describe_repository(&repository()).await.unwrap(),
            Some(description)
        );
    }
}
