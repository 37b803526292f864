//! Blobs of any size, never held in memory.

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{Stream, TryStreamExt as _};

use super::{Error, Store};
use crate::image::{Digest, Location, Repository};
use crate::registry::{Transfer, Uploaded};

/// A blob's bytes as they come. The last ones are given out only when all are known to be right.
pub type BlobStream = BoxStream<'static, Result<Bytes, Error>>;

impl Store {
    /// Waits for the right to move a blob of so many bytes from one location to another: a slot at
    /// each registry.
    pub async fn transfer(&self, ends: [&Location; 2], size: u64) -> Transfer {
        let references = ends.into_iter().filter_map(Location::reference);
        let read: Vec<_> = references
            .map(|reference| self.read_at(reference))
            .collect();
        let registries: Vec<_> = read.iter().map(|reference| &reference.registry).collect();
        self.client.transfer(&registries, size).await
    }

    /// Begins to read a blob of so many bytes.
    pub async fn open_blob(
        &self,
        location: &Location,
        digest: &Digest,
        size: u64,
    ) -> Result<BlobStream, Error> {
        Ok(match location {
            Location::Registry(reference) => {
                let reference = self.read_at(reference);
                let blob = self.client.open_blob(&reference, digest, size).await?;
                Box::pin(blob.map_err(Error::from))
            }
            Location::Layout(layout) => {
                let layout = self.layouts.at(&layout.folder);
                let blob = layout.open_blob(digest, size).await?;
                Box::pin(blob.map_err(Error::from))
            }
            Location::Daemon(image) => return Err(Error::in_daemon(image)),
        })
    }

    /// Whether there is such a blob, of so many bytes.
    pub async fn blob_exists(
        &self,
        location: &Location,
        digest: &Digest,
        size: u64,
    ) -> Result<bool, Error> {
        Ok(match location {
            Location::Registry(reference) => self.client.blob_exists(reference, digest).await?,
            Location::Layout(layout) => {
                self.layouts
                    .at(&layout.folder)
                    .has_blob(digest, size)
                    .await?
            }
            Location::Daemon(image) => return Err(Error::in_daemon(image)),
        })
    }

    /// Writes a blob of so many bytes. A registry may take it from `mount_from`, another of its
    /// repositories. The source is opened when the location is ready to take it, and again for each
    /// further try; its error ends it all.
    pub async fn put_blob<S, R>(
        &self,
        location: &Location,
        digest: &Digest,
        size: u64,
        mount_from: Option<&Repository>,
        open: impl Fn() -> R + Send + Sync,
    ) -> Result<Uploaded, Error>
    where
        R: Future<Output = Result<S, Error>> + Send,
        S: Stream<Item = Result<Bytes, Error>> + Send + 'static,
    {
        match location {
            Location::Registry(reference) => {
                self.client
                    .upload_blob(reference, digest, size, mount_from, open)
                    .await
            }
            Location::Daemon(image) => Err(Error::in_daemon(image)),
            Location::Layout(layout) => {
                let source = open().await?;
                let layout = self.layouts.at(&layout.folder);
                layout.put_blob(digest, size, source).await?;
                Ok(Uploaded::Uploaded)
            }
        }
    }
}
