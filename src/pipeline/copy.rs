//! Copies an image from registry to registry: blobs, then manifests by digest, then the tag. What
//! is copied are the bytes; nothing is written anew but the index over a choice of platforms.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use futures_util::stream::{self, StreamExt, TryStreamExt};

use crate::config::ImageSpecification;
use crate::event::{Event, Step};
use crate::failure::{Failure, Kind};
use crate::image::{
    Content, Descriptor, Digest, ImageManifest, Manifest, ParseManifestError, Reference, Repository,
};
use crate::registry;

use super::base::BaseError;
use super::filter::filter;
use super::once::Once;
use super::part::Part;
use super::{Access, StepError};

/// Blobs or manifests of one parent that are waited for together; each registry's slots decide how
/// many really travel.
const PARALLEL_CHILDREN: usize = 16;

/// Copies images; each (repository, digest) travels once per run.
pub(super) struct Copier<'a> {
    access: &'a Access,
    manifests: Once<(Repository, Digest)>,
    blobs: Once<(Repository, Digest)>,
    /// A repository of the destination in which a manifest holds a blob, so that it can be mounted
    /// from there: ECR mounts no blob that hangs on no manifest (containers-roadmap#2860).
    origins: Mutex<HashMap<Digest, Repository>>,
}

/// One image's way: where it comes from, where it goes, and whether anything can be there yet.
#[derive(Clone, Copy)]
struct Way<'a> {
    source: &'a Reference,
    destination: &'a Reference,
    is_new_repository: bool,
}

/// An index or manifest of the source cannot be copied.
#[derive(Debug, thiserror::Error)]
enum CopyError {
    #[error("the manifest `{digest}` of the source cannot be used")]
    Manifest {
        digest: Digest,
        source: ParseManifestError,
    },
    #[error("the index `{digest}` of the source is malformed")]
    Index {
        digest: Digest,
        source: serde_json::Error,
    },
    #[error("the source names `{digest}`, which is no digest")]
    Digest { digest: String },
}

impl Failure for CopyError {
    fn kind(&self) -> Kind {
        Kind::Permanent
    }
}

impl<'a> Copier<'a> {
    pub(super) fn new(access: &'a Access) -> Self {
        Self {
            access,
            manifests: Once::default(),
            blobs: Once::default(),
            origins: Mutex::default(),
        }
    }

    /// Copies a part of the source, whose tag has the digest `root`, to the destination's tag, and
    /// returns the digest that the tag then has.
    pub(super) async fn copy(
        &self,
        image: &ImageSpecification,
        destination: &Reference,
        root: &Digest,
        part: &Part,
        is_new_repository: bool,
    ) -> Result<Digest, StepError> {
        let step = Step::Copy;
        self.access.observer.observe(Event::Reached {
            image: destination.clone(),
            step,
        });
        let way = Way {
            source: &image.source,
            destination,
            is_new_repository,
        };
        let manifest = match part {
            Part::Whole => self.fetch(way, root).await?,
            Part::One(digest) => self.fetch(way, digest).await?,
            Part::Several(platforms, marks) => {
                let index = self.fetch(way, root).await?;
                filter(&index, platforms, marks)
                    .map_err(|source| CopyError::Index {
                        digest: root.clone(),
                        source,
                    })
                    .map_err(StepError::at(Step::Copy))?
            }
        };
        self.push(way, destination, &manifest).await?;
        Ok(manifest.digest().clone())
    }

    async fn fetch(&self, way: Way<'_>, digest: &Digest) -> Result<Manifest, StepError> {
        let source = way.source.by_digest(digest.clone());
        let client = &self.access.upstreams.client;
        let found = client
            .get_manifest(&source)
            .await
            .map_err(StepError::at(Step::Copy))?;
        let missing = || BaseError::Missing {
            image: source.to_string(),
        };
        found.ok_or_else(missing).map_err(StepError::at(Step::Copy))
    }

    /// Brings over what a manifest needs, then the manifest itself, by digest or under a tag. A
    /// registry may have lost blobs that it just said to have (ECR collects layers that hang on no
    /// manifest, at any time); they are sent again once.
    async fn push(
        &self,
        way: Way<'_>,
        target: &Reference,
        manifest: &Manifest,
    ) -> Result<(), StepError> {
        let client = &self.access.upstreams.client;
        self.push_what_it_needs(way, manifest).await?;
        match client.put_manifest(target, manifest).await {
            Err(error) if error.lacks_blobs() => {
                self.forget(way, manifest)?;
                let way = Way {
                    is_new_repository: false,
                    ..way
                };
                Box::pin(self.push_what_it_needs(way, manifest)).await?;
                client.put_manifest(target, manifest).await
            }
            result => result,
        }
        .map_err(StepError::at(Step::Copy))?;
        self.remember_origins(way, manifest)
    }

    async fn push_what_it_needs(&self, way: Way<'_>, manifest: &Manifest) -> Result<(), StepError> {
        match read(manifest)? {
            Content::Index(index) => {
                stream::iter(index.manifests())
                    .map(|child| Box::pin(self.push_child(way, child)))
                    .buffer_unordered(PARALLEL_CHILDREN)
                    .try_collect()
                    .await
            }
            Content::Image(image) => self.push_blobs(way, &image).await,
        }
    }

    async fn push_child(&self, way: Way<'_>, child: &Descriptor) -> Result<(), StepError> {
        let digest = digest_of(child)?;
        let key = (way.destination.repository.clone(), digest.clone());
        let push = async || {
            let target = way.destination.by_digest(digest.clone());
            if !way.is_new_repository && self.has_manifest(&target).await? {
                return Ok(());
            }
            let manifest = self.fetch(way, &digest).await?;
            self.push(way, &target, &manifest).await
        };
        self.manifests.run(key, push).await
    }

    async fn has_manifest(&self, target: &Reference) -> Result<bool, StepError> {
        let head = self.access.upstreams.client.head_manifest(target).await;
        head.map(|head| head.is_some())
            .map_err(StepError::at(Step::Copy))
    }

    async fn push_blobs(&self, way: Way<'_>, image: &ImageManifest) -> Result<(), StepError> {
        let mut blobs = blobs_of(image)?;
        for present in self.present(way, &blobs).await {
            blobs.remove(&present);
        }
        let mut blobs: Vec<(Digest, u64)> = blobs.into_iter().collect();
        // The biggest first, so that none is left to travel alone at the end.
        blobs.sort_unstable_by_key(|(_, size)| std::cmp::Reverse(*size));
        stream::iter(blobs)
            .map(|(digest, size)| self.push_blob(way, digest, size))
            .buffer_unordered(PARALLEL_CHILDREN)
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
            .buffer_unordered(PARALLEL_CHILDREN)
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
            let _slots = client.transfer(&ends).await;
            let open = || client.open_blob(source, &digest, size);
            let uploaded = client
                .upload_blob(destination, &digest, size, origin.as_ref(), open)
                .await;
            uploaded
                .map(|_| ())
                .map_err(StepError::at::<registry::Error>(Step::Copy))
        };
        self.blobs.run(key, push).await
    }

    fn remember_origins(&self, way: Way<'_>, manifest: &Manifest) -> Result<(), StepError> {
        if let Content::Image(image) = read(manifest)? {
            let repository = &way.destination.repository;
            let blobs = blobs_of(&image)?.into_keys();
            self.origins()
                .extend(blobs.map(|digest| (digest, repository.clone())));
        }
        Ok(())
    }

    fn forget(&self, way: Way<'_>, manifest: &Manifest) -> Result<(), StepError> {
        let key = |digest: Digest| (way.destination.repository.clone(), digest);
        match read(manifest)? {
            Content::Index(index) => {
                for child in index.manifests() {
                    self.manifests.forget(&key(digest_of(child)?));
                }
            }
            Content::Image(image) => {
                for digest in blobs_of(&image)?.into_keys() {
                    self.origins().remove(&digest);
                    self.blobs.forget(&key(digest));
                }
            }
        }
        Ok(())
    }

    fn origins(&self) -> std::sync::MutexGuard<'_, HashMap<Digest, Repository>> {
        self.origins.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(manifest: &Manifest) -> Result<Content, StepError> {
    manifest
        .content()
        .map_err(|source| CopyError::Manifest {
            digest: manifest.digest().clone(),
            source,
        })
        .map_err(StepError::at(Step::Copy))
}

fn digest_of(descriptor: &Descriptor) -> Result<Digest, StepError> {
    let digest = descriptor.digest().to_string();
    digest
        .parse()
        .map_err(|_| CopyError::Digest { digest })
        .map_err(StepError::at(Step::Copy))
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
