//! The tags of a repository.

use std::collections::BTreeMap;

use super::limits::TAGS_PER_PAGE;
use super::{Ecr, Error};
use crate::aws;
use crate::image::{Digest, Repository, Tag};

impl Ecr {
    /// Every tag of a repository and the digest it has: one call per 1,000 tags.
    pub async fn list_tags(&self, repository: &Repository) -> Result<BTreeMap<Tag, Digest>, Error> {
        let mut pages = self
            .client
            .list_images()
            .set_registry_id(self.account_id.clone())
            .repository_name(repository.as_str())
            .max_results(TAGS_PER_PAGE)
            .into_paginator()
            .send();
        let mut tags = BTreeMap::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| Error::List {
                repository: repository.clone(),
                source: aws::Error::from_sdk("ecr", "ListImages", error),
            })?;
            tags.extend(page.image_ids().iter().filter_map(|image| {
                Some((
                    image.image_tag()?.parse().ok()?,
                    image.image_digest()?.parse().ok()?,
                ))
            }));
        }
        Ok(tags)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::stand_in::StandIn;
    use super::*;

    #[tokio::test]
    async fn lists_page_by_page() {
        let [one, two] = [b"1", b"2"].map(|bytes| Digest::of(bytes));
        let api = StandIn::answering([
            (
                200,
                json!({
                    "imageIds": [
                        {"imageTag": "1", "imageDigest": one.as_str()},
                        {"imageDigest": two.as_str()},
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
        let tags = api.ecr(None).list_tags(&repository).await.unwrap();
        let expected = [("1".parse().unwrap(), one), ("2".parse().unwrap(), two)];
        assert_eq!(tags, expected.into());
        assert_eq!(
            api.calls()[1].1,
            json!({"repositoryName": "redis", "maxResults": 1000, "nextToken": "more"})
        );
    }
}
