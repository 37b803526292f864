//! The repositories of a registry.

use aws_sdk_ecr::operation::describe_repositories::DescribeRepositoriesError;

use super::limits::REPOSITORIES_PER_PAGE;
use super::sdk_types::describe;
use super::{Ecr, Encryption, Error, TagMutability};
use crate::aws;
use crate::image::Repository;

/// A repository as it is. Its policies and tags are asked for one by one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RepositoryDescription {
    /// The name.
    pub name: String,
    /// The ARN, by which its tags go.
    pub arn: String,
    /// Whether tags can be overwritten.
    pub tag_mutability: TagMutability,
    /// Whether ECR scans each pushed image, as far as the repository's own setting decides.
    pub scan_on_push: bool,
    /// How ECR encrypts it, which nothing can change.
    pub encryption: Encryption,
}

impl Ecr {
    /// Looks a repository up; `None` when it does not exist. One whose creation this process began
    /// and could not finish counts as missing, so that whoever plans again creates it again.
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
            Ok(_) if self.unfinished.contains(repository) => Ok(None),
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

    /// All repositories of the registry.
    pub async fn repositories(&self) -> Result<Vec<RepositoryDescription>, Error> {
        let pages = self
            .client
            .describe_repositories()
            .set_registry_id(self.account_id.clone())
            .max_results(REPOSITORIES_PER_PAGE)
            .into_paginator()
            .items();
        let found = pages.send().try_collect().await;
        let found = found.map_err(|error| Error::Repositories {
            source: aws::Error::from_sdk("ecr", "DescribeRepositories", error),
        })?;
        Ok(found.iter().map(describe).collect())
    }

    /// Deletes a repository, with all its images where that is said, and otherwise an empty one.
    pub async fn delete_repository(
        &self,
        repository: &Repository,
        with_images: bool,
    ) -> Result<(), Error> {
        let delete = self.client.delete_repository().force(with_images);
        let answer = delete
            .set_registry_id(self.account_id.clone())
            .repository_name(repository.as_str())
            .send()
            .await;
        answer.map(drop).map_err(|error| Error::DeleteRepository {
            repository: repository.clone(),
            source: aws::Error::from_sdk("ecr", "DeleteRepository", error),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::stand_in::{StandIn, refusal};
    use super::*;

    #[tokio::test]
    async fn describes_what_exists() {
        let absent = refusal("RepositoryNotFoundException", "it does not exist");
        let found = json!({"repositories": [{
            "repositoryName": "ecsclone/redis",
            "repositoryArn": "arn:redis",
            "imageScanningConfiguration": {"scanOnPush": true},
            "encryptionConfiguration": {"encryptionType": "KMS", "kmsKey": "arn:key"},
            "imageTagMutability": "MUTABLE_WITH_EXCLUSION",
            "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "v*"}],
        }]});
        let api = StandIn::answering([absent, (200, found)]).await;
        let ecr = api.ecr(None);
        let repository = "ecsclone/redis".parse().unwrap();
        assert_eq!(ecr.describe_repository(&repository).await.unwrap(), None);
        let description = RepositoryDescription {
            name: "ecsclone/redis".to_owned(),
            arn: "arn:redis".to_owned(),
            scan_on_push: true,
            encryption: Encryption::Kms {
                key_arn: "arn:key".to_owned(),
            },
            tag_mutability: TagMutability::MutableExcept {
                immutable: vec!["v*".to_owned()],
            },
        };
        assert_eq!(
            ecr.describe_repository(&repository).await.unwrap(),
            Some(description)
        );
    }

    #[tokio::test]
    async fn lists_all_and_deletes_one() {
        let page = |name: &str, next: Option<&str>| {
            (
                200,
                json!({"repositories": [{"repositoryName": name}], "nextToken": next}),
            )
        };
        let full = refusal("RepositoryNotEmptyException", "it contains images");
        let deleted = (200, json!({}));
        let pages = [page("a", Some("more")), page("b", None)];
        let api = StandIn::answering(pages.into_iter().chain([full, deleted])).await;
        let ecr = api.ecr(Some("210987654321"));
        let names: Vec<String> = ecr
            .repositories()
            .await
            .unwrap()
            .into_iter()
            .map(|found| found.name)
            .collect();
        assert_eq!(names, ["a", "b"]);
        let repository = "a1".parse().unwrap();
        let error = ecr.delete_repository(&repository, false).await.unwrap_err();
        assert_eq!(error.to_string(), "cannot delete the ECR repository `a1`");
        ecr.delete_repository(&repository, true).await.unwrap();
        insta::assert_json_snapshot!(api.calls());
    }
}
