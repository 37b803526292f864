//! Copies an image from where it is kept to where it is wanted: blobs, then manifests by digest, then the tag. What
//! is copied are the bytes; nothing is written anew but the index over a choice of platforms.

use futures_util::stream::{self, StreamExt, TryStreamExt};

use crate::event::{Event, Step};
use crate::failure::{Failure, Kind};
use crate::image::{
    Content, Descriptor, Digest, ImageIndex, ImageManifest, Location, Manifest, ParseManifestError,
    Repository,
};
use crate::once::Once;

use super::base_error::BaseError;
use super::blobs::{Blobs, blobs_of};
use super::part::Part;
use super::referrers::{Finder, Referrer};
use super::way::Way;
use super::{Access, StepError};

/// Manifests of one index that are waited for together; each registry's slots decide how many
/// really travel. Some may wait for others, so there are more than slots.
const PARALLEL_CHILDREN: usize = 64;

/// Copies images; each (repository, digest) travels once per run.
pub(super) struct Copier<'a> {
    pub(super) access: &'a Access,
    manifests: Once<(Repository, Digest)>,
    pub(super) blobs: Blobs<'a>,
    pub(super) finder: Finder<'a>,
    /// Held by whoever changes a list of referrers.
    pub(super) lists: tokio::sync::Mutex<()>,
}

/// An index or manifest of the source cannot be copied.
#[derive(Debug, thiserror::Error)]
enum CopyError {
    #[error("the manifest `{digest}` of the source cannot be used")]
    Manifest {
        digest: Digest,
        source: ParseManifestError,
    },
    #[error("the source names `{digest}`, which is no digest")]
    Digest { digest: String },
}

impl Failure for CopyError {
    fn kind(&self) -> Kind {
        Kind::Permanent
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Manifest { source, .. } => source.remedy().map(str::to_owned),
            Self::Digest { .. } => None,
        }
    }
}

impl<'a> Copier<'a> {
    pub(super) fn new(access: &'a Access) -> Self {
        Self {
            access,
            manifests: Once::default(),
            blobs: Blobs::new(access),
            finder: Finder::new(access),
            lists: tokio::sync::Mutex::default(),
        }
    }

    /// Copies a part of the source, whose tag has the digest `root`, to the destination's tag, and
    /// returns the digest that the tag then has.
    pub(super) async fn copy(
        &self,
        way: Way<'_>,
        root: &Digest,
        part: &Part,
        with_referrers: bool,
    ) -> Result<Digest, StepError> {
        let destination = way.destination;
        self.access.observer.observe(Event::Reached {
            image: destination.clone(),
            step: Step::Copy,
        });
        self.access.observer.observe(way.moving());
        let manifest = match part {
            Part::Whole => self.fetch(way, root).await?,
            Part::One(digest) => self.fetch(way, digest).await?,
            Part::Planned(manifest) => manifest.clone(),
        };
        self.push(way, destination, &manifest).await?;
        if with_referrers {
            self.copy_referrers(way, root, &manifest).await?;
        }
        Ok(manifest.digest().clone())
    }

    /// Brings what refers to an image that is in place.
    pub(super) async fn refer(
        &self,
        way: Way<'_>,
        referrers: &[Referrer],
    ) -> Result<(), StepError> {
        self.access.observer.observe(way.moving());
        self.bring_referrers(way, referrers).await
    }

    pub(super) async fn fetch(&self, way: Way<'_>, digest: &Digest) -> Result<Manifest, StepError> {
        let source = way.source.by_digest(digest.clone());
        let found = way
            .tally
            .reader
            .get_manifest(&source)
            .await
            .map_err(StepError::at(Step::Copy))?;
        let missing = || BaseError::missing(&way.tally.reader, &source);
        found.ok_or_else(missing).map_err(StepError::at(Step::Copy))
    }

    /// Brings over what a manifest needs, then the manifest itself, by digest or under a tag. A
    /// registry may have lost what it just said to have (ECR collects layers that hang on no
    /// manifest, at any time); it is sent again once.
    pub(super) async fn push(
        &self,
        way: Way<'_>,
        target: &Location,
        manifest: &Manifest,
    ) -> Result<(), StepError> {
        match read(manifest)? {
            Content::Index(index) => self.push_index(way, target, manifest, &index).await,
            Content::Image(image) => self.push_image(way, target, manifest, &image).await,
        }
    }

    async fn push_index(
        &self,
        way: Way<'_>,
        target: &Location,
        manifest: &Manifest,
        index: &ImageIndex,
    ) -> Result<(), StepError> {
        self.push_children(way, index).await?;
        match way.tally.writer.put_manifest(target, manifest).await {
            Err(error) if error.lacks_blobs() => {
                for child in index.manifests() {
                    let key = (way.repository.clone(), digest_of(child)?);
                    self.manifests.forget(&key);
                }
                self.push_children(way.again(), index).await?;
                way.tally.writer.put_manifest(target, manifest).await
            }
            result => result,
        }
        .map_err(StepError::at(Step::Copy))
    }

    async fn push_image(
        &self,
        way: Way<'_>,
        target: &Location,
        manifest: &Manifest,
        image: &ImageManifest,
    ) -> Result<(), StepError> {
        let claim = self.blobs.claim(way, blobs_of(image)?);
        self.blobs.bring(way, &claim).await?;
        match way.tally.writer.put_manifest(target, manifest).await {
            Err(error) if error.lacks_blobs() => {
                claim.lost();
                self.blobs.bring(way.again(), &claim).await?;
                way.tally.writer.put_manifest(target, manifest).await
            }
            result => result,
        }
        .map_err(StepError::at(Step::Copy))?;
        claim.committed();
        Ok(())
    }

    async fn push_children(&self, way: Way<'_>, index: &ImageIndex) -> Result<(), StepError> {
        stream::iter(index.manifests())
            .map(|child| Box::pin(self.push_child(way, child)))
            .buffer_unordered(PARALLEL_CHILDREN)
            .try_collect()
            .await
    }

    pub(super) async fn push_child(
        &self,
        way: Way<'_>,
        child: &Descriptor,
    ) -> Result<(), StepError> {
        let digest = digest_of(child)?;
        let key = (way.repository.clone(), digest.clone());
        let push = async || {
            let target = way.destination.by_digest(digest.clone());
            if !way.is_new_repository && self.has_manifest(way, &target).await? {
                return Ok(());
            }
            let manifest = self.fetch(way, &digest).await?;
            self.push(way, &target, &manifest).await
        };
        self.manifests.run(key, push).await
    }

    async fn has_manifest(&self, way: Way<'_>, target: &Location) -> Result<bool, StepError> {
        let found = way.tally.writer.has_manifest(target).await;
        found.map_err(StepError::at(Step::Copy))
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

/// The digest that a descriptor of the source names.
pub(super) fn digest_of(descriptor: &Descriptor) -> Result<Digest, StepError> {
    Digest::try_from(descriptor)
        .map_err(|_| CopyError::Digest {
            digest: descriptor.digest().to_string(),
        })
        .map_err(StepError::at(Step::Copy))
}
