//! Brings blobs from the source into a repository of the destination: those that it has not, each
//! once per run.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::stream::{self, StreamExt, TryStreamExt};

use crate::event::Step;
use crate::image::{Descriptor, Digest, ImageManifest, Repository};
use crate::registry;

use super::copy::digest_of;
use super::once::Once;
use super::way::Way;
use super::{Access, StepError};

/// Blobs of one image that are waited for together; each registry's slots decide how many really
/// travel.
const PARALLEL_BLOBS: usize = 16;

/// Brings blobs; each (repository, digest) travels once per run.
pub(super) struct Blobs<'a> {
    access: &'a Access,
    once: Once<(Repository, Digest)>,
    /// A repository of the destination in which a manifest holds a blob, so that it can be mounted
    /// from there: ECR mounts no blob that hangs on no manifest (containers-roadmap#2860).
    origins: Mutex<HashMap<Digest, Repository>>,
}

impl<'a> Blobs<'a> {
    pub(super) fn new(access: &'a Access) -> Self {
        Self {
            access,
            once: Once::default(),
            origins: Mutex::default(),
        }
    }

    /// Brings an image's blobs into the destination's repository.
    pub(super) async fn push(&self, way: Way<'_>, image: &ImageManifest) -> Result<(), StepError> {
        let mut blobs = blobs_of(image)?;
        for present in self.present(way, &blobs).await {
            blobs.remove(&present);
        }
        let mut blobs: Vec<(Digest, u64)> = blobs.into_iter().collect();
        // The biggest first, so that none is left to travel alone at the end.
        blobs.sort_unstable_by_key(|(_, size)| std::cmp::Reverse(*size));
        stream::iter(blobs)
            .map(|(digest, size)| self.push_blob(way, digest, size))
            .buffer_unordered(PARALLEL_BLOBS)
            .try_collect()
            .await
    }

    /// The blobs that the destination repository has: ECR answers for a hundred in one call; where
    /// it does not know or may not be asked, each costs a HEAD.
    async fn present(&self, way: Way<'_>, blobs: &BTreeMap<Digest, u64>) -> BTreeSet<Digest> {
        if way.is_new_repository {
            return BTreeSet::new();
        }
        let digests: BTreeSet<Digest> = blobs.keys().cloned().collect();
        if self.access.api_knows_images {
            let repository = &way.destination.repository;
            match self.access.ecr.available_layers(repository, &digests).await {
                Ok(available) => return available,
                Err(error) => tracing::debug!(%repository, %error, "asking blob by blob"),
            }
        }
        let client = &self.access.upstreams.client;
        stream::iter(digests)
            .map(|digest| async move {
                let found = client.blob_exists(way.destination, &digest).await;
                found.unwrap_or(false).then_some(digest)
            })
            .buffer_unordered(PARALLEL_BLOBS)
            .filter_map(std::future::ready)
            .collect()
            .await
    }

    async fn push_blob(&self, way: Way<'_>, digest: Digest, size: u64) -> Result<(), StepError> {
        let client = &self.access.upstreams.client;
        let Way {
            source,
            destination,
            ..
        } = way;
        let key = (destination.repository.clone(), digest.clone());
        let push = async || {
            let origin = self.origins().get(&digest).cloned();
            let ends = [&source.registry, &destination.registry];
            let _slots = client.transfer(&ends, size).await;
            let open = || client.open_blob(source, &digest, size);
            let uploaded = client
                .upload_blob(destination, &digest, size, origin.as_ref(), open)
                .await;
            uploaded
                .map(|_| ())
                .map_err(StepError::at::<registry::Error>(Step::Copy))
        };
        self.once.run(key, push).await
    }

    /// A manifest with these blobs stands in the destination's repository now.
    pub(super) fn committed(&self, way: Way<'_>, image: &ImageManifest) -> Result<(), StepError> {
        let repository = &way.destination.repository;
        let blobs = blobs_of(image)?.into_keys();
        self.origins()
            .extend(blobs.map(|digest| (digest, repository.clone())));
        Ok(())
    }

    /// Forgets what was known of an image's blobs: the destination lost some.
    pub(super) fn forget(&self, way: Way<'_>, image: &ImageManifest) -> Result<(), StepError> {
        for digest in blobs_of(image)?.into_keys() {
            self.origins().remove(&digest);
            self.once
                .forget(&(way.destination.repository.clone(), digest));
        }
        Ok(())
    }

    fn origins(&self) -> MutexGuard<'_, HashMap<Digest, Repository>> {
        self.origins.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The blobs of an image by digest, with their sizes in bytes. Foreign layers, which name the
/// places where they are, belong to no registry.
fn blobs_of(image: &ImageManifest) -> Result<BTreeMap<Digest, u64>, StepError> {
    let is_foreign =
        |layer: &&Descriptor| layer.urls().as_ref().is_some_and(|urls| !urls.is_empty());
    let layers = image.layers().iter().filter(|layer| !is_foreign(layer));
    std::iter::once(image.config())
        .chain(layers)
        .map(|blob| Ok((digest_of(blob)?, blob.size())))
        .collect()
}
