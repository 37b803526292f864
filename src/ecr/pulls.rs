//! Images asked for as a pull does it: for a repository of the pull-through cache, ECR fetches them.

use aws_sdk_ecr::operation::batch_get_image::{BatchGetImageError, BatchGetImageOutput};
use aws_sdk_ecr::types::{ImageFailureCode, ImageIdentifier};

use super::limits::IMAGES_PER_BATCH;
use super::{Ecr, Error};
use crate::aws;
use crate::image::media_type::ACCEPT_MANIFESTS;
use crate::image::{Digest, Manifest, Repository, Tag};

/// What an image is asked for by.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ImageId {
    /// A tag.
    Tag(Tag),
    /// A digest.
    Digest(Digest),
}

/// What ECR gave.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Pulled {
    /// The manifest.
    Image(Manifest),
    /// Neither ECR nor the upstream has it; so says ECR, too, where the caller may not have it
    /// fetched.
    Missing,
    /// It could not be fetched or given out.
    Refused {
        /// ECR's code: `UpstreamAccessDenied`.
        code: String,
        /// Why, in ECR's words.
        reason: String,
    },
}

impl Ecr {
    /// Asks for images of a repository; the answers are in their order. One call per 100.
    pub async fn pull(
        &self,
        repository: &Repository,
        images: &[ImageId],
    ) -> Result<Vec<Pulled>, Error> {
        let accepted = ACCEPT_MANIFESTS.map(str::to_owned);
        let mut pulled = Vec::with_capacity(images.len());
        for images in images.chunks(IMAGES_PER_BATCH) {
            let answer = self
                .client
                .batch_get_image()
                .set_registry_id(self.account_id.clone())
                .repository_name(repository.as_str())
                .set_image_ids(Some(images.iter().map(ImageId::to_sdk).collect()))
                .set_accepted_media_types(Some(accepted.to_vec()))
                .send()
                .await;
            match answer {
                Ok(output) => pulled.extend(images.iter().map(|id| find(&output, id))),
                Err(error) => {
                    let all = instead_of_all(error.as_service_error());
                    let all = all.ok_or_else(|| Error::Read {
                        repository: repository.clone(),
                        source: aws::Error::from_sdk("ecr", "BatchGetImage", error),
                    })?;
                    pulled.extend(images.iter().map(|_| all.clone()));
                }
            }
        }
        Ok(pulled)
    }
}

impl ImageId {
    fn to_sdk(&self) -> ImageIdentifier {
        let id = ImageIdentifier::builder();
        match self {
            Self::Tag(tag) => id.image_tag(tag.as_str()),
            Self::Digest(digest) => id.image_digest(digest.as_str()),
        }
        .build()
    }

    fn is(&self, found: Option<&ImageIdentifier>) -> bool {
        found.is_some_and(|found| match self {
            Self::Tag(tag) => found.image_tag() == Some(tag.as_str()),
            Self::Digest(digest) => found.image_digest() == Some(digest.as_str()),
        })
    }
}

/// What an error of the whole call says of every image in it.
fn instead_of_all(error: Option<&BatchGetImageError>) -> Option<Pulled> {
    match error? {
        BatchGetImageError::RepositoryNotFoundException(_) => Some(Pulled::Missing),
        BatchGetImageError::UnableToGetUpstreamImageException(error) => Some(Pulled::Refused {
            code: "UnableToGetUpstreamImage".to_owned(),
            reason: error.message().unwrap_or(NO_REASON).to_owned(),
        }),
        _ => None,
    }
}

const NO_REASON: &str = "ECR gives no reason";

fn find(output: &BatchGetImageOutput, id: &ImageId) -> Pulled {
    let image = output.images().iter().find(|it| id.is(it.image_id()));
    if let Some(image) = image {
        let text = image.image_manifest().unwrap_or_default().to_owned();
        let media_type = image.image_manifest_media_type().unwrap_or_default();
        let manifest = Manifest::new(media_type, text.into());
        let digest = image.image_id().and_then(ImageIdentifier::image_digest);
        return if digest == Some(manifest.digest().as_str()) {
            Pulled::Image(manifest)
        } else {
            Pulled::Refused {
                code: "WrongDigest".to_owned(),
                reason: "the manifest that ECR gave is not the one that its digest names"
                    .to_owned(),
            }
        };
    }
    let failure = output.failures().iter().find(|it| id.is(it.image_id()));
    match failure.and_then(|failure| Some((failure.failure_code()?, failure))) {
        None | Some((ImageFailureCode::ImageNotFound, _)) => Pulled::Missing,
        Some((code, failure)) => Pulled::Refused {
            code: code.as_str().to_owned(),
            reason: failure.failure_reason().unwrap_or(NO_REASON).to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::stand_in::{StandIn, refusal};
    use super::*;
    use crate::image::media_type::OCI_INDEX;

    #[tokio::test]
    async fn what_ecr_says_is_told_image_by_image() {
        let text = "{ \"manifests\": [] }\n";
        let digest = Digest::of(text.as_bytes());
        let found = |id: serde_json::Value| json!({"imageId": id, "imageManifest": text, "imageManifestMediaType": OCI_INDEX});
        let answer = json!({
            "images": [
                found(json!({"imageTag": "2", "imageDigest": Digest::of(b"x").as_str()})),
                found(json!({"imageTag": "1", "imageDigest": digest.as_str()})),
                found(json!({"imageDigest": digest.as_str()})),
            ],
            "failures": [
                {"imageId": {"imageTag": "3"}, "failureCode": "ImageNotFound"},
                {
                    "imageId": {"imageTag": "4"},
                    "failureCode": "UpstreamTooManyRequests",
                    "failureReason": "slow down",
                },
            ],
        });
        let denied = refusal("UnableToGetUpstreamImageException", "see the secret");
        let absent = refusal("RepositoryNotFoundException", "it does not exist");
        let other = refusal("InvalidParameterException", "no");
        let api = StandIn::answering([(200, answer), denied, absent, other]).await;
        let ecr = api.ecr(Some("210987654321"));
        let repository: Repository = "docker-hub/library/alpine".parse().unwrap();
        let tag = |text: &str| ImageId::Tag(text.parse().unwrap());
        let ids = [
            tag("1"),
            tag("2"),
            tag("3"),
            tag("4"),
            ImageId::Digest(digest),
        ];
        let image = Pulled::Image(Manifest::new(OCI_INDEX, text.into()));
        let refused = |code: &str, reason: &str| Pulled::Refused {
            code: code.to_owned(),
            reason: reason.to_owned(),
        };
        assert_eq!(
            ecr.pull(&repository, &ids).await.unwrap(),
            [
                image.clone(),
                refused(
                    "WrongDigest",
                    "the manifest that ECR gave is not the one that its digest names"
                ),
                Pulled::Missing,
                refused("UpstreamTooManyRequests", "slow down"),
                image,
            ]
        );
        let one = || ecr.pull(&repository, &ids[..1]);
        let denied = refused("UnableToGetUpstreamImage", "see the secret");
        assert_eq!(one().await.unwrap(), [denied]);
        assert_eq!(one().await.unwrap(), [Pulled::Missing]);
        assert_eq!(
            one().await.unwrap_err().to_string(),
            "cannot read images of the ECR repository `docker-hub/library/alpine`"
        );
    }
}
