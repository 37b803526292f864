//! Manifests of a layout, which are files like its blobs.

use bytes::Bytes;
use serde_json::Value;

use super::{Error, Layout};
use crate::image::{Content, Descriptor, Digest, Manifest, media_type};

/// The largest manifest, in bytes, as for registries.
const MAX_MANIFEST: u64 = 4 * 1024 * 1024;

/// The largest blob that is held in memory, in bytes, as for registries.
const MAX_SMALL_BLOB: u64 = 8 * 1024 * 1024;

impl Layout {
    /// Reads a manifest, byte for byte, and checks its digest.
    pub async fn get_manifest(&self, digest: &Digest) -> Result<Manifest, Error> {
        let bytes = self.read_small(digest, MAX_MANIFEST).await?;
        Ok(Manifest::new(shape(&bytes), bytes))
    }

    /// Whether there is such a manifest with all that it names. Nobody kept out one that lacks
    /// something, as a registry does: a copy of the folder may have been cut short.
    pub async fn has_manifest(&self, digest: &Digest) -> Result<bool, Error> {
        let mut wanted = vec![digest.clone()];
        while let Some(digest) = wanted.pop() {
            let manifest = match self.get_manifest(&digest).await {
                Ok(manifest) => manifest,
                Err(Error::NoBlob { .. } | Error::Mismatch { .. }) => return Ok(false),
                Err(error) => return Err(error),
            };
            match manifest.content() {
                Ok(Content::Index(index)) => {
                    let children = index.manifests().iter();
                    wanted.extend(children.flat_map(Digest::try_from));
                }
                Ok(Content::Image(image)) => {
                    let layers = image.layers().iter();
                    let layers = layers.filter(|layer| !media_type::is_foreign(layer));
                    for blob in layers.chain([image.config()]) {
                        if let Ok(digest) = Digest::try_from(blob)
                            && !self.has_blob(&digest, blob.size()).await?
                        {
                            return Ok(false);
                        }
                    }
                }
                // What it names is not known.
                Err(_) => {}
            }
        }
        Ok(true)
    }

    /// Reads a small blob, such as an image configuration, and checks its size and digest.
    pub async fn get_blob(&self, descriptor: &Descriptor) -> Result<Bytes, Error> {
        let Ok(digest) = Digest::try_from(descriptor) else {
            let folder = self.folder().to_owned();
            let digest = descriptor.digest().to_string();
            return Err(Error::UnknownDigest { folder, digest });
        };
        self.check_size(&digest, descriptor.size()).await?;
        self.read_small(&digest, MAX_SMALL_BLOB).await
    }

    async fn read_small(&self, digest: &Digest, limit: u64) -> Result<Bytes, Error> {
        let file = self.path(digest);
        if self.size_of(digest).await? > limit {
            return Err(Error::TooLarge { file, limit });
        }
        let bytes = tokio::fs::read(&file).await;
        let bytes = bytes.map_err(Error::unreadable(&file))?;
        match digest.verify(&bytes) {
            Ok(()) => Ok(Bytes::from(bytes)),
            Err(actual) => Err(Error::Mismatch {
                file,
                expected: digest.to_string(),
                actual: actual.to_string(),
            }),
        }
    }
}

/// The media type of a manifest that does not say it.
fn shape(bytes: &[u8]) -> &'static str {
    match serde_json::from_slice::<Value>(bytes) {
        Ok(manifest) if manifest.get("manifests").is_some() => media_type::OCI_INDEX,
        _ => media_type::OCI_MANIFEST,
    }
}
