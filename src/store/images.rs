//! Tags and manifests.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;

use super::detour::read_at;
use super::{Detours, Error};
use crate::image::{
    Descriptor, Digest, LayoutReference, Location, Manifest, Reference, Registry, Tag,
};
use crate::layout::Layouts;
use crate::registry::{self, Client, Meter};

/// Reads and writes images wherever they are kept. Clones share the client of the registries and
/// what is known of layouts.
#[derive(Clone, Debug)]
pub struct Store {
    pub(super) client: Client,
    pub(super) layouts: Arc<Layouts>,
    detours: Option<Arc<Detours>>,
}

impl Store {
    /// A store whose registries are spoken to by this client.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            layouts: Arc::default(),
            detours: None,
        }
    }

    /// The same store, which reads some images through a cache. Tags and referrers are listed where
    /// the images are: a cache knows only those that it has.
    pub fn with_detours(self, detours: Detours) -> Self {
        Self {
            detours: Some(Arc::new(detours)),
            ..self
        }
    }

    /// Where an image is read.
    pub fn read_at<'a>(&self, image: &'a Reference) -> Cow<'a, Reference> {
        read_at(self.detours.as_deref(), image)
    }

    /// The cache that a location is read through; `None` where it is read at its own place.
    pub fn cache_of(&self, location: &Location) -> Option<&Registry> {
        let detours = self.detours.as_ref()?;
        let is_cached = detours.of(location.reference()?).is_some();
        is_cached.then_some(&detours.cache)
    }

    /// The same store, whose work at registries this meter counts.
    pub fn metered(&self, meter: &Arc<Meter>) -> Self {
        Self {
            client: self.client.metered(meter),
            layouts: Arc::clone(&self.layouts),
            detours: self.detours.clone(),
        }
    }

    /// The digest that a location's tag or digest stands for; `None` where there is no such image.
    pub async fn resolve(&self, location: &Location) -> Result<Option<Digest>, Error> {
        match location {
            Location::Registry(reference) => match self.read_at(reference) {
                Cow::Borrowed(reference) => Ok(self.client.resolve(reference).await?),
                Cow::Owned(cached) => Ok(self.resolve_cached(&cached).await?),
            },
            Location::Layout(layout) => self.digest_in(layout).await,
            Location::Daemon(image) => Err(Error::in_daemon(image)),
        }
    }

    /// Nobody says whether ECR fetches an image for a HEAD; for a GET it does.
    async fn resolve_cached(&self, cached: &Reference) -> Result<Option<Digest>, registry::Error> {
        if let Some(digest) = self.client.resolve(cached).await? {
            return Ok(Some(digest));
        }
        let manifest = self.client.get_manifest(cached).await?;
        Ok(manifest.map(|manifest| manifest.digest().clone()))
    }

    /// The digest of a source, as [`Store::resolve`] finds it. A layout without the tag is an error
    /// that names those it has.
    pub async fn find(&self, source: &Location) -> Result<Option<Digest>, Error> {
        match source {
            Location::Layout(LayoutReference {
                folder,
                tag,
                digest: None,
            }) => {
                let tag = tag.clone().unwrap_or_else(Tag::latest);
                Ok(Some(self.layouts.at(folder).find(&tag).await?))
            }
            _ => self.resolve(source).await,
        }
    }

    /// All tags at a location, whatever its own.
    pub async fn list_tags(&self, location: &Location) -> Result<Vec<Tag>, Error> {
        Ok(match location {
            Location::Registry(reference) => {
                let tags = self.client.list_tags(reference).await;
                tags.map_err(|error| self.not_listed(location, error))?
            }
            Location::Layout(layout) => self.layouts.at(&layout.folder).list_tags().await?,
            Location::Daemon(image) => return Err(Error::in_daemon(image)),
        })
    }

    /// Whether there is such a manifest. A registry has all that it names, too; a layout may not, and
    /// has no such manifest then.
    pub async fn has_manifest(&self, location: &Location) -> Result<bool, Error> {
        match location {
            Location::Registry(reference) => {
                Ok(self.client.head_manifest(reference).await?.is_some())
            }
            Location::Layout(layout) => match self.digest_in(layout).await? {
                Some(digest) => Ok(self
                    .layouts
                    .at(&layout.folder)
                    .has_manifest(&digest)
                    .await?),
                None => Ok(false),
            },
            Location::Daemon(image) => Err(Error::in_daemon(image)),
        }
    }

    /// Reads a manifest, byte for byte, and checks its digest; `None` when there is no such
    /// manifest. A layout that lacks one which is known by its digest is not whole: an error.
    pub async fn get_manifest(&self, location: &Location) -> Result<Option<Manifest>, Error> {
        match location {
            Location::Registry(reference) => {
                Ok(self.client.get_manifest(&self.read_at(reference)).await?)
            }
            Location::Layout(layout) => match self.digest_in(layout).await? {
                Some(digest) => {
                    let layout = self.layouts.at(&layout.folder);
                    Ok(Some(layout.get_manifest(&digest).await?))
                }
                None => Ok(None),
            },
            Location::Daemon(image) => Err(Error::in_daemon(image)),
        }
    }

    /// Reads the index of what refers to a manifest. `None` where nobody keeps one, as in a layout:
    /// in its place an index stands under [`Digest::referrers_tag`].
    pub async fn referrers(
        &self,
        location: &Location,
        digest: &Digest,
    ) -> Result<Option<Manifest>, Error> {
        match location {
            Location::Registry(reference) => {
                let index = self.client.referrers(reference, digest).await;
                index.map_err(|error| self.not_listed(location, error))
            }
            Location::Layout(_) => Ok(None),
            Location::Daemon(image) => Err(Error::in_daemon(image)),
        }
    }

    /// Reads a small blob, such as an image configuration, and checks its size and digest.
    pub async fn get_blob(
        &self,
        location: &Location,
        descriptor: &Descriptor,
    ) -> Result<Bytes, Error> {
        Ok(match location {
            Location::Registry(reference) => {
                let reference = self.read_at(reference);
                self.client.get_blob(&reference, descriptor).await?
            }
            Location::Layout(layout) => {
                self.layouts.at(&layout.folder).get_blob(descriptor).await?
            }
            Location::Daemon(image) => return Err(Error::in_daemon(image)),
        })
    }

    fn not_listed(&self, location: &Location, error: registry::Error) -> Error {
        match (location.reference(), self.cache_of(location)) {
            (Some(reference), Some(_)) => Error::Listed {
                registry: reference.registry.clone(),
                source: error,
            },
            _ => Error::Registry(error),
        }
    }

    /// Writes a manifest under the location's digest or, where it has none, under its tag. All that
    /// the manifest names must be there already.
    pub async fn put_manifest(
        &self,
        location: &Location,
        manifest: &Manifest,
    ) -> Result<(), Error> {
        match location {
            Location::Registry(reference) => {
                Ok(self.client.put_manifest(reference, manifest).await?)
            }
            Location::Layout(layout) => {
                let (digest, tag) = match &layout.digest {
                    Some(digest) => (digest, None),
                    None => (
                        manifest.digest(),
                        layout.tag.clone().or(Some(Tag::latest())),
                    ),
                };
                let layout = self.layouts.at(&layout.folder);
                Ok(layout.put_manifest(digest, manifest, tag.as_ref()).await?)
            }
            Location::Daemon(image) => Err(Error::in_daemon(image)),
        }
    }

    async fn digest_in(&self, layout: &LayoutReference) -> Result<Option<Digest>, Error> {
        if let Some(digest) = &layout.digest {
            return Ok(Some(digest.clone()));
        }
        let tag = layout.tag.clone().unwrap_or_else(Tag::latest);
        Ok(self.layouts.at(&layout.folder).resolve(&tag).await?)
    }
}
