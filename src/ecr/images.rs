//! The images of a repository.

use aws_sdk_ecr::types::{ImageFailure, ImageFailureCode, ImageIdentifier};

use super::limits::IMAGES_PER_BATCH;
use super::{Ecr, Error};
use crate::aws;
use crate::image::{Digest, Repository, Tag};

/// An image, or the tag of one, that ECR did not delete.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ImageKept {
    /// The tag, or the digest where that was named.
    pub name: String,
    /// ECR's code and words.
    pub reason: String,
    /// Whether an index lists the image, which ECR keeps as long as there is the index.
    pub is_listed: bool,
}

impl Ecr {
    /// Deletes tags, and with its last tag an image. A tag that is not there is deleted already.
    pub async fn delete_tags(
        &self,
        repository: &Repository,
        tags: &[Tag],
    ) -> Result<Vec<ImageKept>, Error> {
        let identify = |tag: &Tag| ImageIdentifier::builder().image_tag(tag.as_str()).build();
        self.delete_images(repository, tags.iter().map(identify).collect())
            .await
    }

    /// Deletes images with all their tags. One that is not there is deleted already, and one that an
    /// index lists stays.
    pub async fn delete_digests(
        &self,
        repository: &Repository,
        digests: &[Digest],
    ) -> Result<Vec<ImageKept>, Error> {
        let identify = |digest: &Digest| {
            let builder = ImageIdentifier::builder().image_digest(digest.as_str());
            builder.build()
        };
        self.delete_images(repository, digests.iter().map(identify).collect())
            .await
    }

    /// Who names a tag and a digest together may lose the image with all its tags (as in moto, after
    /// ECR), so that each image has one of them only.
    async fn delete_images(
        &self,
        repository: &Repository,
        images: Vec<ImageIdentifier>,
    ) -> Result<Vec<ImageKept>, Error> {
        let mut kept = Vec::new();
        for images in images.chunks(IMAGES_PER_BATCH) {
            let output = self
                .client
                .batch_delete_image()
                .set_registry_id(self.account_id.clone())
                .repository_name(repository.as_str())
                .set_image_ids(Some(images.to_vec()))
                .send()
                .await
                .map_err(|error| Error::Delete {
                    repository: repository.clone(),
                    source: aws::Error::from_sdk("ecr", "BatchDeleteImage", error),
                })?;
            let failures = output.failures().iter();
            let real = failures
                .filter(|failure| failure.failure_code() != Some(&ImageFailureCode::ImageNotFound));
            kept.extend(real.map(image_kept));
        }
        Ok(kept)
    }
}

fn image_kept(failure: &ImageFailure) -> ImageKept {
    let code = failure.failure_code();
    let image = failure.image_id();
    let name = image.and_then(|image| image.image_tag().or(image.image_digest()));
    ImageKept {
        name: name.unwrap_or_default().to_owned(),
        reason: format!(
            "`{}`: {}",
            code.map_or("Failure", ImageFailureCode::as_str),
            failure.failure_reason().unwrap_or("ECR gives no reason")
        ),
        is_listed: code == Some(&ImageFailureCode::ImageReferencedByManifestList),
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
        let stays = ImageKept {
            name: "t0".to_owned(),
            reason: "`ImageReferencedByManifestList`: Requested image referenced by manifest list"
                .to_owned(),
            is_listed: true,
        };
        assert_eq!(kept.unwrap(), [stays]);
        let calls = api.calls();
        assert_eq!(calls[0].1["imageIds"].as_array().unwrap().len(), 100);
        assert_eq!(
            calls[1].1,
            json!({"repositoryName": "redis", "imageIds": [{"imageTag": "t100"}]})
        );
    }

    #[tokio::test]
    async fn deletes_images_by_digest_alone() {
        let digest = Digest::of(b"1");
        let failure = json!({"failures": [{
            "imageId": {"imageDigest": digest.as_str()},
            "failureCode": "KmsError",
        }]});
        let api = StandIn::answering([(200, failure)]).await;
        let repository = "redis".parse().unwrap();
        let digests = std::slice::from_ref(&digest);
        let kept = api.ecr(None).delete_digests(&repository, digests).await;
        let stays = ImageKept {
            name: digest.to_string(),
            reason: "`KmsError`: ECR gives no reason".to_owned(),
            is_listed: false,
        };
        assert_eq!(kept.unwrap(), [stays]);
        assert_eq!(
            api.calls()[0].1["imageIds"],
            json!([{"imageDigest": digest.as_str()}])
        );
    }
}
