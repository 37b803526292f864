//! What a repository holds.

use std::collections::{BTreeMap, BTreeSet};

use super::limits::TAGS_PER_PAGE;
use super::{Ecr, Error};
use crate::aws;
use crate::image::{Digest, Repository, Tag};

/// What a repository holds.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Inventory {
    /// The digest that each tag has.
    pub tags: BTreeMap<Tag, Digest>,
    /// The digests of all images, those without a tag among them.
    pub digests: BTreeSet<Digest>,
}

impl Ecr {
    /// Every tag of a repository and the digest it has, and the images without a tag: one call per
    /// 1,000 of them.
    pub async fn list_images(&self, repository: &Repository) -> Result<Inventory, Error> {
        let mut pages = self
            .client
            .list_images()
            .set_registry_id(self.account_id.clone())
            .repository_name(repository.as_str())
            .max_results(TAGS_PER_PAGE)
            .into_paginator()
            .send();
        let mut inventory = Inventory::default();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| Error::List {
                repository: repository.clone(),
                source: aws::Error::from_sdk("ecr", "ListImages", error),
            })?;
            for image in page.image_ids() {
                let Some(Ok(digest)) = image.image_digest().map(str::parse::<Digest>) else {
                    continue;
                };
                if let Some(Ok(tag)) = image.image_tag().map(str::parse) {
                    inventory.tags.insert(tag, digest.clone());
                }
                inventory.digests.insert(digest);
            }
        }
        Ok(inventory)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::stand_in::StandIn;
    use super::*;

    #[tokio::test]
    async fn lists_page_by_page() {
        let [one, two, three] = [b"1", b"2", b"3"].map(|bytes| Digest::of(bytes));
        let api = StandIn::answering([
            (
                200,
                json!({
                    "imageIds": [
                        {"imageTag": "1", "imageDigest": one.as_str()},
                        {"imageDigest": three.as_str()},
                    ],
                    "nextToken": "more",
                }),
            ),
            (
                200,
                json!({"imageIds": [{"imageTag": "2", "imageDigest": two.as_str()}]}),
            ),
        ])
        .await;
        let repository = "redis".parse().unwrap();
        let inventory = api.ecr(None).list_images(&repository).await.unwrap();
        let tags = [
            ("1".parse().unwrap(), one.clone()),
            ("2".parse().unwrap(), two.clone()),
        ];
        assert_eq!(inventory.tags, tags.into());
        assert_eq!(inventory.digests, [one, two, three].into());
        assert_eq!(
            api.calls()[1].1,
            json!({"repositoryName": "redis", "maxResults": 1000, "nextToken": "more"})
        );
    }
}
