//! The manifests of a repository's tags.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ecr::types::{Image, ImageFailure, ImageFailureCode, ImageIdentifier};

use super::limits::IMAGES_PER_BATCH;
use super::{Ecr, Error};
use crate::aws;
use crate::image::media_type::ACCEPT_MANIFESTS;
use crate::image::{Digest, Manifest, Repository, Tag};

impl Ecr {
    /// The manifests of these tags, byte for byte; `None` for a tag that does not exist. One call
    /// per 100 tags. A tag of which ECR gives no sound manifest is left out: the registry may know
    /// more of it. ECR notes this as a pull of each image, as it does for a GET at the registry,
    /// which calls the same API.
    pub async fn manifests(
        &self,
        repository: &Repository,
        tags: &BTreeSet<Tag>,
    ) -> Result<BTreeMap<Tag, Option<Manifest>>, Error> {
        let tags: Vec<&Tag> = tags.iter().collect();
        let accepted = ACCEPT_MANIFESTS.map(str::to_owned);
        let mut manifests = BTreeMap::new();
        for tags in tags.chunks(IMAGES_PER_BATCH) {
            let identify = |tag: &&Tag| ImageIdentifier::builder().image_tag(tag.as_str()).build();
            let output = self
                .client
                .batch_get_image()
                .set_registry_id(self.account_id.clone())
                .repository_name(repository.as_str())
                .set_image_ids(Some(tags.iter().map(identify).collect()))
                .set_accepted_media_types(Some(accepted.to_vec()))
                .send()
                .await
                .map_err(|error| Error::Read {
                    repository: repository.clone(),
                    source: aws::Error::from_sdk("ecr", "BatchGetImage", error),
                })?;
            let found = output.images().iter().filter_map(read);
            manifests.extend(found.map(|(tag, manifest)| (tag, Some(manifest))));
            let missing = output.failures().iter().filter_map(missing);
            manifests.extend(missing.map(|tag| (tag, None)));
        }
        Ok(manifests)
    }
}

/// A tag and its manifest, where these are the bytes that the digest names.
fn read(image: &Image) -> Option<(Tag, Manifest)> {
    let id = image.image_id()?;
    let digest: Digest = id.image_digest()?.parse().ok()?;
    let bytes = image.image_manifest()?.as_bytes();
    let media_type = image.image_manifest_media_type().unwrap_or_default();
    let is_sound = digest.matches(bytes);
    let manifest = is_sound.then(|| Manifest::new(media_type, bytes.to_vec().into()))?;
    Some((id.image_tag()?.parse().ok()?, manifest))
}

/// A tag that does not exist. Other failures, such as that of a key, say nothing of that.
fn missing(failure: &ImageFailure) -> Option<Tag> {
    let is_missing = failure.failure_code() == Some(&ImageFailureCode::ImageNotFound);
    let id = failure.image_id().filter(|_| is_missing)?;
    id.image_tag()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::stand_in::StandIn;
    use super::*;
    use crate::image::media_type::OCI_INDEX;

    fn image(tag: &str, manifest: &str, digest: &Digest) -> Value {
        json!({
            "imageId": {"imageTag": tag, "imageDigest": digest.as_str()},
            "imageManifest": manifest,
            "imageManifestMediaType": OCI_INDEX,
        })
    }

    #[tokio::test]
    async fn asks_for_a_hundred_at_a_time_and_takes_what_is_sound() {
        let text = "{ \"manifests\": [] }\n";
        let (sound, other) = (Digest::of(text.as_bytes()), Digest::of(b"other"));
        let failure =
            |tag: &str, code: &str| json!({"imageId": {"imageTag": tag}, "failureCode": code});
        let first = json!({
            "images": [image("t000", text, &sound), image("t001", text, &other)],
            "failures": [failure("t002", "ImageNotFound"), failure("t003", "KmsError")],
        });
        let second = json!({"images": [image("t100", text, &sound)], "failures": []});
        let api = StandIn::answering([(200, first), (200, second)]).await;
        let tags = (0..101).map(|n| format!("t{n:03}").parse().unwrap());
        let tags: BTreeSet<Tag> = tags.collect();
        let repository = "redis".parse().unwrap();
        let found = api.ecr(None).manifests(&repository, &tags).await.unwrap();

        let manifest = Manifest::new(OCI_INDEX, text.into());
        let tag = |text: &str| text.parse::<Tag>().unwrap();
        let expected = [
            (tag("t000"), Some(manifest.clone())),
            (tag("t002"), None),
            (tag("t100"), Some(manifest)),
        ];
        assert_eq!(found, expected.into());
        let calls = api.calls();
        assert_eq!(calls[0].1["imageIds"].as_array().unwrap().len(), 100);
        assert_eq!(
            calls[1].1,
            json!({
                "repositoryName": "redis",
                "imageIds": [{"imageTag": "t100"}],
                "acceptedMediaTypes": ACCEPT_MANIFESTS,
            })
        );
    }
}
