//! The images of the lab's upstream registry.

use std::fs;
use std::path::PathBuf;

use longshore::image::{Digest, media_type};
use longshore::sandbox::layout::{PlatformImage, write_image, write_manifest};
use serde_json::{Value, json};

use super::Lab;
use super::archive::archive;
use super::artifact::digest_of;

impl Lab {
    /// Puts an image with one layer upstream, and returns its digest.
    pub(crate) fn offer(&self, repository: &str, tag: &str, layer: &[u8]) -> Digest {
        let image = PlatformImage::new("linux/amd64".parse().unwrap(), vec![layer.to_vec()]);
        write_image(&self.hub(), repository, tag, &[image]).unwrap()
    }

    /// Puts an image upstream that Docker can build on.
    pub(crate) fn offer_base(&self, repository: &str, tag: &str) -> Digest {
        let content = repository.as_bytes();
        self.offer(repository, tag, &archive(&[("name", Some(content))]))
    }

    /// Puts an image for several platforms upstream, and returns its index's digest.
    pub(crate) fn offer_for(&self, repository: &str, tag: &str, platforms: &[&str]) -> Digest {
        let image = |platform: &&str| {
            let layer = format!("layer for {platform}").into_bytes();
            PlatformImage::new(platform.parse().unwrap(), vec![layer])
        };
        let images: Vec<PlatformImage> = platforms.iter().map(image).collect();
        write_image(&self.hub(), repository, tag, &images).unwrap()
    }

    /// Puts an image for a platform upstream, and returns what an index says of it.
    pub(crate) fn offer_child(&self, repository: &str, platform: &str) -> Value {
        let (os, architecture) = platform.split_once('/').unwrap();
        let layer = format!("layer for {platform}").into_bytes();
        let image = PlatformImage::new(platform.parse().unwrap(), vec![layer]);
        let digest = write_image(&self.hub(), repository, architecture, &[image]).unwrap();
        json!({
            "mediaType": media_type::OCI_MANIFEST,
            "digest": digest,
            "size": self.upstream_bytes(repository, &digest).len(),
            "platform": {"os": os, "architecture": architecture},
        })
    }

    /// Puts an index upstream, byte for byte, and returns its digest.
    pub(crate) fn offer_index(&self, repository: &str, tag: &str, text: &str) -> Digest {
        let kind = media_type::OCI_INDEX;
        write_manifest(&self.hub(), repository, Some(tag), kind, text.as_bytes()).unwrap()
    }

    /// The bytes of a blob or manifest of the upstream registry.
    pub(crate) fn upstream_bytes(&self, repository: &str, digest: &Digest) -> Vec<u8> {
        fs::read(self.upstream_path(repository, digest)).unwrap()
    }

    /// The file of a blob or manifest of the upstream registry.
    pub(crate) fn upstream_path(&self, repository: &str, digest: &Digest) -> PathBuf {
        let blobs = self.hub().join(repository).join("blobs/sha256");
        blobs.join(digest.hex())
    }

    /// The only layer of an image of the upstream registry, which may be larger than what was
    /// offered: it is compressed.
    pub(crate) fn layer_of(&self, repository: &str, image: &Digest) -> Digest {
        let manifest = self.upstream_bytes(repository, image);
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        digest_of(&manifest["layers"][0])
    }
}

/// Bytes that stay as large when they are compressed: enough for a connection to break in their
/// midst.
pub(crate) fn noise(seed: u64) -> Vec<u8> {
    const SIZE: usize = 8 * 1024 * 1024;
    let mut bytes = Vec::with_capacity(SIZE);
    let mut state = seed;
    while bytes.len() < SIZE {
        // SplitMix64.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.extend((mixed ^ (mixed >> 31)).to_le_bytes());
    }
    bytes
}
