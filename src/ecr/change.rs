//! What can be changed of a repository that exists.

use std::collections::BTreeMap;

use aws_sdk_ecr::operation::get_lifecycle_policy::GetLifecyclePolicyError;
use aws_sdk_ecr::operation::get_repository_policy::GetRepositoryPolicyError;
use aws_sdk_ecr::types::ImageScanningConfiguration;

use super::sdk_types::{mutability, resource_tags};
use super::{Ecr, Error, TagMutability};
use crate::aws;
use crate::image::Repository;

const LIFECYCLE: &str = "lifecycle policy";
const POLICY: &str = "repository policy";
const TAGS: &str = "resource tags";

impl Ecr {
    /// Sets whether a repository's tags can be overwritten.
    pub async fn set_tag_mutability(
        &self,
        repository: &Repository,
        setting: &TagMutability,
    ) -> Result<(), Error> {
        let (setting, exempt) = mutability(setting);
        let put = self.client.put_image_tag_mutability();
        let answer = put
            .set_registry_id(self.account_id.clone())
            .repository_name(repository.as_str())
            .image_tag_mutability(setting)
            .set_image_tag_mutability_exclusion_filters(exempt)
            .send()
            .await;
        answer.map(drop).map_err(|error| {
            let source = aws::Error::from_sdk("ecr", "PutImageTagMutability", error);
            failed("set", "tag mutability", repository, source)
        })
    }

    /// Sets whether ECR scans each image that is pushed to a repository.
    pub async fn set_scan_on_push(
        &self,
        repository: &Repository,
        scan_on_push: bool,
    ) -> Result<(), Error> {
        let scanning = ImageScanningConfiguration::builder().scan_on_push(scan_on_push);
        let put = self.client.put_image_scanning_configuration();
        let answer = put
            .set_registry_id(self.account_id.clone())
            .repository_name(repository.as_str())
            .image_scanning_configuration(scanning.build())
            .send()
            .await;
        answer.map(drop).map_err(|error| {
            let source = aws::Error::from_sdk("ecr", "PutImageScanningConfiguration", error);
            failed("set", "scanning", repository, source)
        })
    }

    /// A repository's lifecycle policy, as ECR's own JSON text.
    pub async fn lifecycle_policy(&self, repository: &Repository) -> Result<Option<String>, Error> {
        let get = self.client.get_lifecycle_policy();
        let answer = get
            .set_registry_id(self.account_id.clone())
            .repository_name(repository.as_str())
            .send()
            .await;
        match answer {
            Ok(output) => Ok(output.lifecycle_policy_text),
            Err(error)
                if error.as_service_error().is_some_and(
                    GetLifecyclePolicyError::is_lifecycle_policy_not_found_exception,
                ) =>
            {
                Ok(None)
            }
            Err(error) => {
                let source = aws::Error::from_sdk("ecr", "GetLifecyclePolicy", error);
                Err(failed("read", LIFECYCLE, repository, source))
            }
        }
    }

    /// Gives a repository a lifecycle policy.
    pub async fn replace_lifecycle_policy(
        &self,
        repository: &Repository,
        text: &str,
    ) -> Result<(), Error> {
        let put = self.client.put_lifecycle_policy();
        let answer = put
            .set_registry_id(self.account_id.clone())
            .repository_name(repository.as_str())
            .lifecycle_policy_text(text)
            .send()
            .await;
        answer.map(drop).map_err(|error| {
            let source = aws::Error::from_sdk("ecr", "PutLifecyclePolicy", error);
            failed("set", LIFECYCLE, repository, source)
        })
    }

    /// Takes a repository's lifecycle policy away.
    pub async fn delete_lifecycle_policy(&self, repository: &Repository) -> Result<(), Error> {
        let delete = self.client.delete_lifecycle_policy();
        let answer = delete
            .set_registry_id(self.account_id.clone())
            .repository_name(repository.as_str())
            .send()
            .await;
        answer.map(drop).map_err(|error| {
            let source = aws::Error::from_sdk("ecr", "DeleteLifecyclePolicy", error);
            failed("delete", LIFECYCLE, repository, source)
        })
    }

    /// A repository's policy, as ECR's own JSON text.
    pub async fn repository_policy(
        &self,
        repository: &Repository,
    ) -> Result<Option<String>, Error> {
        let get = self.client.get_repository_policy();
        let answer = get
            .set_registry_id(self.account_id.clone())
            .repository_name(repository.as_str())
            .send()
            .await;
        match answer {
            Ok(output) => Ok(output.policy_text),
            Err(error)
                if error.as_service_error().is_some_and(
                    GetRepositoryPolicyError::is_repository_policy_not_found_exception,
                ) =>
            {
                Ok(None)
            }
            Err(error) => {
                let source = aws::Error::from_sdk("ecr", "GetRepositoryPolicy", error);
                Err(failed("read", POLICY, repository, source))
            }
        }
    }

    /// Gives a repository a policy.
    pub async fn replace_repository_policy(
        &self,
        repository: &Repository,
        text: &str,
    ) -> Result<(), Error> {
        let set = self.client.set_repository_policy();
        let answer = set
            .set_registry_id(self.account_id.clone())
            .repository_name(repository.as_str())
            .policy_text(text)
            .send()
            .await;
        answer.map(drop).map_err(|error| {
            let source = aws::Error::from_sdk("ecr", "SetRepositoryPolicy", error);
            failed("set", POLICY, repository, source)
        })
    }

    /// Takes a repository's policy away.
    pub async fn delete_repository_policy(&self, repository: &Repository) -> Result<(), Error> {
        let delete = self.client.delete_repository_policy();
        let answer = delete
            .set_registry_id(self.account_id.clone())
            .repository_name(repository.as_str())
            .send()
            .await;
        answer.map(drop).map_err(|error| {
            let source = aws::Error::from_sdk("ecr", "DeleteRepositoryPolicy", error);
            failed("delete", POLICY, repository, source)
        })
    }

    /// A repository's resource tags. Its ARN is in its
    /// [description](super::RepositoryDescription::arn).
    pub async fn repository_tags(
        &self,
        repository: &Repository,
        arn: &str,
    ) -> Result<BTreeMap<String, String>, Error> {
        let list = self.client.list_tags_for_resource().resource_arn(arn);
        let output = list.send().await.map_err(|error| {
            let source = aws::Error::from_sdk("ecr", "ListTagsForResource", error);
            failed("read", TAGS, repository, source)
        })?;
        let tags = output.tags().iter();
        Ok(tags
            .map(|tag| (tag.key().to_owned(), tag.value().to_owned()))
            .collect())
    }

    /// Adds resource tags to a repository and changes those that it has.
    pub async fn tag_repository(
        &self,
        repository: &Repository,
        arn: &str,
        tags: &BTreeMap<String, String>,
    ) -> Result<(), Error> {
        let tag = self.client.tag_resource().resource_arn(arn);
        let answer = tag.set_tags(resource_tags(tags)).send().await;
        answer.map(drop).map_err(|error| {
            let source = aws::Error::from_sdk("ecr", "TagResource", error);
            failed("set", TAGS, repository, source)
        })
    }

    /// Takes resource tags away from a repository.
    pub async fn untag_repository(
        &self,
        repository: &Repository,
        arn: &str,
        keys: Vec<String>,
    ) -> Result<(), Error> {
        let untag = self.client.untag_resource().resource_arn(arn);
        let answer = untag.set_tag_keys(Some(keys)).send().await;
        answer.map(drop).map_err(|error| {
            let source = aws::Error::from_sdk("ecr", "UntagResource", error);
            failed("delete", TAGS, repository, source)
        })
    }
}

fn failed(
    action: &'static str,
    part: &'static str,
    repository: &Repository,
    source: aws::Error,
) -> Error {
    Error::Change {
        action,
        part,
        repository: repository.clone(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::stand_in::{StandIn, refusal};
    use super::*;
    use crate::failure::Failure as _;

    #[tokio::test]
    async fn what_differs_is_changed() {
        let done = || (200, json!({}));
        let no_lifecycle = refusal("LifecyclePolicyNotFoundException", "there is none");
        let no_policy = refusal("RepositoryPolicyNotFoundException", "there is none");
        let tags = (200, json!({"tags": [{"Key": "team", "Value": "a"}]}));
        let api = StandIn::answering([
            done(),
            done(),
            (200, json!({"lifecyclePolicyText": "{}"})),
            no_lifecycle,
            done(),
            done(),
            (200, json!({"policyText": "{}"})),
            no_policy,
            done(),
            done(),
            tags,
            done(),
            done(),
            refusal(
                "AccessDeniedException",
                "not authorized to perform: ecr:UntagResource on x",
            ),
        ])
        .await;
        let ecr = api.ecr(Some("210987654321"));
        let redis: Repository = "ecsclone/redis".parse().unwrap();
        let fixed = TagMutability::Immutable {
            except: vec!["latest".to_owned()],
        };
        ecr.set_tag_mutability(&redis, &fixed).await.unwrap();
        ecr.set_scan_on_push(&redis, false).await.unwrap();
        for expected in [Some("{}"), None] {
            let found = ecr.lifecycle_policy(&redis).await.unwrap();
            assert_eq!(found.as_deref(), expected);
        }
        ecr.replace_lifecycle_policy(&redis, "{}").await.unwrap();
        ecr.delete_lifecycle_policy(&redis).await.unwrap();
        for expected in [Some("{}"), None] {
            let found = ecr.repository_policy(&redis).await.unwrap();
            assert_eq!(found.as_deref(), expected);
        }
        ecr.replace_repository_policy(&redis, "{}").await.unwrap();
        ecr.delete_repository_policy(&redis).await.unwrap();
        let tags = BTreeMap::from([("team".to_owned(), "a".to_owned())]);
        let arn = "arn:redis";
        assert_eq!(ecr.repository_tags(&redis, arn).await.unwrap(), tags);
        ecr.tag_repository(&redis, arn, &tags).await.unwrap();
        let keys = || vec!["team".to_owned()];
        ecr.untag_repository(&redis, arn, keys()).await.unwrap();
        let error = ecr.untag_repository(&redis, arn, keys()).await.unwrap_err();
        insta::assert_snapshot!(format!("{error}\n{}", error.hint().unwrap()));
        insta::assert_json_snapshot!(api.calls());
    }
}
