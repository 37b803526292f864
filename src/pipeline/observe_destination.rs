//! What the destination's repositories hold now.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt};

use crate::config::{self, ImageSpecification};
use crate::ecr::{Inventory, TagMutability};
use crate::event::Step;
use crate::image::{Digest, Location, Manifest, Repository, Tag};

use super::observe::PARALLEL_QUESTIONS;
use super::part::Wanted;
use super::{Access, Concern, Drift, StepError};

/// What is known of the images' repositories; `None` where there is none.
pub(super) type Repositories<'a> =
    BTreeMap<&'a Repository, Result<Option<RepositoryState>, StepError>>;

/// What is known of a repository.
pub(super) struct RepositoryState {
    /// Whether its tags can be overwritten when images arrive: a repair comes before them.
    pub(super) mutability: TagMutability,
    /// Where it is not what the file says, if anybody wants to know.
    pub(super) drift: Vec<Drift>,
    /// What it holds, where ECR's API knows it and somebody needs it.
    inventory: Option<Inventory>,
    /// The manifests of the tags that are judged by what they say, as far as ECR's API gave them;
    /// `None` for a tag that does not exist.
    manifests: BTreeMap<Tag, Option<Manifest>>,
}

/// What has to be known of a repository.
#[derive(Default)]
struct Questions {
    /// Whether some tag is judged by its digest, or needs to know what else is there.
    needs_inventory: bool,
    /// The tags whose manifest tells what they were made from, or what may be referred to.
    manifests: BTreeSet<Tag>,
}

impl Questions {
    fn add(&mut self, image: &ImageSpecification) {
        let by_digest =
            image.is_copy() && matches!(Wanted::of(image), Wanted::Whole | Wanted::One(_));
        let has_referrers = image.is_copy() && image.referrers;
        self.needs_inventory |= by_digest || has_referrers;
        if !by_digest || has_referrers {
            self.manifests.insert(image.tag.clone());
        }
    }
}

/// Looks at every repository that images go to. One call of ECR's API answers for the digests of a
/// thousand tags, or for the manifests of a hundred.
pub(super) async fn observe_repositories<'a>(
    images: &'a [ImageSpecification],
    wanted: &config::Repositories,
    drift: Concern,
    access: &Access,
) -> Repositories<'a> {
    let mut names: BTreeMap<&Repository, Questions> = BTreeMap::new();
    for image in images {
        names.entry(&image.repository).or_default().add(image);
    }
    stream::iter(names)
        .map(async |(name, questions)| {
            let state = observe_repository(name, questions, wanted, drift, access).await;
            (name, state)
        })
        .buffer_unordered(PARALLEL_QUESTIONS)
        .collect()
        .await
}

async fn observe_repository(
    name: &Repository,
    questions: Questions,
    wanted: &config::Repositories,
    drift: Concern,
    access: &Access,
) -> Result<Option<RepositoryState>, StepError> {
    let Some(ecr) = access.destination.ecr() else {
        // Whatever it is, it takes a tag or says why not.
        return Ok(Some(RepositoryState {
            mutability: TagMutability::Mutable,
            drift: Vec::new(),
            inventory: None,
            manifests: BTreeMap::new(),
        }));
    };
    let description = ecr.describe_repository(name).await;
    let Some(description) = description.map_err(StepError::at(Step::Inspect))? else {
        return Ok(None);
    };
    let api = access.destination.image_api();
    let inventory = async {
        let images = api.filter(|_| questions.needs_inventory)?;
        let images = images.list_images(name).await;
        images
            .inspect_err(|error| tracing::debug!(%name, %error, "asking tag by tag"))
            .ok()
    };
    let manifests = async {
        let Some(api) = api.filter(|_| !questions.manifests.is_empty()) else {
            return BTreeMap::new();
        };
        let manifests = api.manifests(name, &questions.manifests).await;
        manifests
            .inspect_err(|error| tracing::debug!(%name, %error, "reading tag by tag"))
            .unwrap_or_default()
    };
    let deviations = async {
        if drift == Concern::Ignored {
            return Vec::new();
        }
        Box::pin(ecr.deviations(name, &description, &wanted.stated)).await
    };
    let (inventory, manifests, deviations) = futures_util::join!(inventory, manifests, deviations);
    let stated = wanted.stated.tag_mutability.as_ref();
    let repaired = stated.filter(|_| drift == Concern::Changed).cloned();
    let deviations = deviations.into_iter();
    Ok(Some(RepositoryState {
        drift: deviations
            .map(|deviation| Drift::new(name, &description.arn, deviation))
            .collect(),
        mutability: repaired.unwrap_or(description.tag_mutability),
        inventory,
        manifests,
    }))
}

impl RepositoryState {
    /// What the repository holds, where that was listed.
    pub(super) fn inventory(&self) -> Option<&Inventory> {
        self.inventory.as_ref()
    }

    /// Whether the repository holds an image, with a tag or without; `None` where nobody listed
    /// what it holds.
    pub(super) fn has(&self, digest: &Digest) -> Option<bool> {
        let inventory = self.inventory.as_ref()?;
        Some(inventory.digests.contains(digest))
    }

    /// The digest that a tag has: from the repository's list, else by a HEAD. A tag of a layout that
    /// lacks something of it has to be made again.
    pub(super) async fn digest(
        &self,
        tag: &Location,
        access: &Access,
    ) -> Result<Option<Digest>, StepError> {
        if let (Some(inventory), Some(name)) = (&self.inventory, tag.tag()) {
            return Ok(inventory.tags.get(name).cloned());
        }
        let store = &access.upstreams.store;
        let inspect = || StepError::at(Step::Inspect);
        let held = store.resolve(tag).await.map_err(inspect())?;
        if let (Location::Layout(_), Some(digest)) = (tag, &held) {
            let whole = store.has_manifest(&tag.by_digest(digest.clone())).await;
            let is_whole = whole.map_err(inspect())?;
            return Ok(held.filter(|_| is_whole));
        }
        Ok(held)
    }

    /// The manifest that a tag has: from ECR's API, else by a GET.
    pub(super) async fn manifest(
        &self,
        tag: &Location,
        access: &Access,
    ) -> Result<Option<Manifest>, StepError> {
        let known = tag.tag().and_then(|name| self.manifests.get(name));
        if let Some(manifest) = known {
            return Ok(manifest.clone());
        }
        let tag = match tag {
            Location::Registry(_) | Location::Daemon(_) => tag.clone(),
            Location::Layout(_) => match self.digest(tag, access).await? {
                Some(digest) => tag.by_digest(digest),
                None => return Ok(None),
            },
        };
        let held = access.upstreams.store.get_manifest(&tag).await;
        held.map_err(StepError::at(Step::Inspect))
    }
}
