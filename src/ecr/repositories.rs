//! The repositories of a registry.

use aws_sdk_ecr::operation::describe_repositories::DescribeRepositoriesError;

use super::sdk_types::describe;
use super::{Ecr, Error, TagMutability};
use crate::aws;
use crate::image::Repository;

/// A repository as it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RepositoryDescription {
    /// Whether tags can be overwritten.
    pub tag_mutability: TagMutability,
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
            "imageTagMutability": "MUTABLE_WITH_EXCLUSION",
            "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "v*"}],
        }]});
        let api = StandIn::answering([absent, (200, found)]).await;
        let ecr = api.ecr(None);
        let repository = "ecsclone/redis".parse().unwrap();
        assert_eq!(ecr.describe_repository(&repository).await.unwrap(), None);
        let description = RepositoryDescription {
            tag_mutability: TagMutability::MutableExcept {
                immutable: vec!["v*".to_owned()],
            },
        };
        assert_eq!(
            ecr.describe_repository(&repository).await.unwrap(),
            Some(description)
        );
    }
}
