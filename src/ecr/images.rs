//! The images of a repository.

use aws_sdk_ecr::types::{ImageFailureCode, ImageIdentifier};

use super::limits::IMAGES_PER_BATCH;
use super::{Ecr, Error};
use crate::aws;
use crate::image::{Repository, Tag};

/// A tag that ECR did not delete.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TagKept {
    /// The tag.
    pub tag: String,
    /// ECR's code and words.
    pub reason: String,
}

impl Ecr {
    /// Deletes tags, and with its last tag an image. A tag that is not there is deleted already.
    pub async fn delete_tags(
        &self,
        repository: &Repository,
        tags: &[Tag],
    ) -> Result<Vec<TagKept>, Error> {
        let mut kept = Vec::new();
        for tags in tags.chunks(IMAGES_PER_BATCH) {
            let identify = |tag: &Tag| ImageIdentifier::builder().image_tag(tag.as_str()).build();
            let output = self
                .client
                .batch_delete_image()
                .set_registry_id(self.account_id.clone())
                .repository_name(repository.as_str())
                .set_image_ids(Some(tags.iter().map(identify).collect()))
                .send()
                .await
                .map_err(|error| Error::Delete {
                    repository: repository.clone(),
                    source: aws::Error::from_sdk("ecr", "BatchDeleteImage", error),
                })?;
            let failures = output.failures().iter();
            kept.extend(
                failures
                    .filter(|failure| {
                        failure.failure_code() != Some(&ImageFailureCode::ImageNotFound)
                    })
                    .map(|failure| {
                        let code = failure.failure_code().map(ImageFailureCode::as_str);
                        let tag = failure.image_id().and_then(ImageIdentifier::image_tag);
                        TagKept {
                            tag: tag.unwrap_or_default().to_owned(),
                            reason: format!(
                                "`{}`: {}",
                                code.unwrap_or("Failure"),
                                failure.failure_reason().unwrap_or("ECR gives no reason")
                            ),
                        }
                    }),
            );
        }
        Ok(kept)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::stand_in::StandIn;
    use super::*;

    #[tokio::test]
    async fn deletes_a_hundred_at_a_time_and_says_what_stays() {
        let failures = json!({"failures": [
            {
                "imageId": {"imageTag": "t0"},
                "failureCode": "ImageReferencedByManifestList",
                "failureReason": "Requested image referenced by manifest list",
            },
            {
                "imageId": {"imageTag": "t1"},
                "failureCode": "ImageNotFound",
                "failureReason": "Requested image not found",
            },
        ]});
        let api = StandIn::answering([(200, failures), (200, json!({}))]).await;
        let tags: Vec<Tag> = (0..101).map(|n| format!("t{n}").parse().unwrap()).collect();
        let repository = "redis".parse().unwrap();
        let kept = api.ecr(None).delete_tags(&repository, &tags).await;
        let stays = TagKept {
            tag: "t0".to_owned(),
            reason: "`ImageReferencedByManifestList`: Requested image referenced by manifest list"
                .to_owned(),
        };
        assert_eq!(kept.unwrap(), [stays]);
        let calls = api.calls();
        assert_eq!(calls[0].1["imageIds"].as_array().unwrap().len(), 100);
        assert_eq!(
            calls[1].1,
            json!({"repositoryName": "redis", "imageIds": [{"imageTag": "t100"}]})
        );
    }
}
