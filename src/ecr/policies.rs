//! The policies of a repository.

use super::{Ecr, Error};
use crate::aws;
use crate::image::Repository;

impl Ecr {
    pub(super) async fn put_lifecycle_policy(
        &self,
        repository: &Repository,
        text: &str,
    ) -> Result<(), Error> {
        let put = async || {
            let put = self.client_without_retries.put_lifecycle_policy();
            put.set_registry_id(self.account_id.clone())
                .repository_name(repository.as_str())
                .lifecycle_policy_text(text)
                .send()
                .await
                .map(drop)
                .map_err(|error| aws::Error::from_sdk("ecr", "PutLifecyclePolicy", error))
        };
        self.persist(put).await.map_err(|source| Error::Policy {
            repository: repository.clone(),
            policy: "lifecycle policy",
            source,
        })
    }

    pub(super) async fn set_repository_policy(
        &self,
        repository: &Repository,
        text: &str,
    ) -> Result<(), Error> {
        let set = async || {
            let set = self.client_without_retries.set_repository_policy();
            set.set_registry_id(self.account_id.clone())
                .repository_name(repository.as_str())
                .policy_text(text)
                .send()
                .await
                .map(drop)
                .map_err(|error| aws::Error::from_sdk("ecr", "SetRepositoryPolicy", error))
        };
        self.persist(set).await.map_err(|source| Error::Policy {
            repository: repository.clone(),
            policy: "repository policy",
            source,
        })
    }
}
