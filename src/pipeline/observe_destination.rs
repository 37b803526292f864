//! What the destination's repositories hold now.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt};

use crate::config::ImageSpecification;
use crate::ecr::TagMutability;
use crate::event::Step;
use crate::image::{Digest, Manifest, Reference, Repository, Tag};

use super::observe::PARALLEL_QUESTIONS;
use super::part::Wanted;
use super::{Access, StepError};

/// What is known of the images' repositories; `None` where there is none.
pub(super) type Repositories<'a> =
    BTreeMap<&'a Repository, Result<Option<RepositoryState>, StepError>>;

/// What is known of a repository.
pub(super) struct RepositoryState {
    pub(super) mutability: TagMutability,
    /// Its tags, where ECR's API knows them and somebody needs them.
    tags: Option<BTreeMap<Tag, Digest>>,
    /// The manifests of the tags that are judged by what they say, as far as ECR's API gave them;
    /// `None` for a tag that does not exist.
    manifests: BTreeMap<Tag, Option<Manifest>>,
}

/// What has to be known of a repository.
#[derive(Default)]
struct Questions {
    /// Whether some tag is judged by its digest.
    needs_digests: bool,
    /// The tags that are judged by what their manifest says.
    manifests: BTreeSet<Tag>,
}

impl Questions {
    fn add(&mut self, image: &ImageSpecification) {
        let by_digest =
            image.is_copy() && matches!(Wanted::of(image), Wanted::Whole | Wanted::One(_));
        if by_digest {
            self.needs_digests = true;
        } else {
            self.manifests.insert(image.tag.clone());
        }
    }
}

/// Looks at every repository that images go to. One call of ECR's API answers for the digests of a
/// thousand tags, or for the manifests of a hundred.
pub(super) async fn observe_repositories<'a>(
    images: &'a [ImageSpecification],
    access: &Access,
) -> Repositories<'a> {
    let mut names: BTreeMap<&Repository, Questions> = BTreeMap::new();
    for image in images {
        names.entry(&image.repository).or_default().add(image);
    }
    stream::iter(names)
        .map(async |(name, questions)| (name, observe_repository(name, questions, access).await))
        .buffer_unordered(PARALLEL_QUESTIONS)
        .collect()
        .await
}

async fn observe_repository(
    name: &Repository,
    questions: Questions,
    access: &Access,
) -> Result<Option<RepositoryState>, StepError> {
    let description = access.ecr.describe_repository(name).await;
    let Some(description) = description.map_err(StepError::at(Step::Inspect))? else {
        return Ok(None);
    };
    let tags = async {
        if !(questions.needs_digests && access.api_knows_images) {
            return None;
        }
        let tags = access.ecr.list_tags(name).await;
        tags.inspect_err(|error| tracing::debug!(%name, %error, "asking tag by tag"))
            .ok()
    };
    let manifests = async {
        if questions.manifests.is_empty() || !access.api_knows_images {
            return BTreeMap::new();
        }
        let manifests = access.ecr.manifests(name, &questions.manifests).await;
        manifests
            .inspect_err(|error| tracing::debug!(%name, %error, "reading tag by tag"))
            .unwrap_or_default()
    };
    let (tags, manifests) = futures_util::join!(tags, manifests);
    Ok(Some(RepositoryState {
        mutability: description.tag_mutability,
        tags,
        manifests,
    }))
}

impl RepositoryState {
    /// The digest that a tag has: from the repository's list, else by a HEAD.
    pub(super) async fn digest(
        &self,
        image: &ImageSpecification,
        access: &Access,
    ) -> Result<Option<Digest>, StepError> {
        if let Some(tags) = &self.tags {
            return Ok(tags.get(&image.tag).cloned());
        }
        let tag = tag(image, access);
        let held = access.upstreams.client.resolve(&tag).await;
        held.map_err(StepError::at(Step::Inspect))
    }

    /// The manifest that a tag has: from ECR's API, else by a GET.
    pub(super) async fn manifest(
        &self,
        image: &ImageSpecification,
        access: &Access,
    ) -> Result<Option<Manifest>, StepError> {
        if let Some(manifest) = self.manifests.get(&image.tag) {
            return Ok(manifest.clone());
        }
        let tag = tag(image, access);
        let held = access.upstreams.client.get_manifest(&tag).await;
        held.map_err(StepError::at(Step::Inspect))
    }
}

fn tag(image: &ImageSpecification, access: &Access) -> Reference {
    access.destination(&image.repository, &image.tag)
}
