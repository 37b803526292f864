//! Whole images from raw layers.

use std::io::{self, Write as _};
use std::path::Path;

use flate2::{Compression, GzBuilder};
use serde_json::{Value, json};

use super::write::{write_blob, write_manifest};
use crate::image::{Digest, Platform, media_type};

const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// One platform of an image.
#[derive(Clone, Debug)]
pub struct PlatformImage {
    /// The platform.
    pub platform: Platform,
    /// What stands under `config` in the image configuration: `{"User": "app", "Env": ["A=b"]}`.
    pub config: Value,
    /// The layers from the lowest up, each a tar archive without compression.
    pub layers: Vec<Vec<u8>>,
}

impl PlatformImage {
    /// An image with layers and no configuration.
    pub fn new(platform: Platform, layers: Vec<Vec<u8>>) -> Self {
        Self {
            platform,
            config: json!({}),
            layers,
        }
    }
}

/// Writes an image into a repository's layout and tags it; returns the digest that the tag has.
/// One platform makes a single image, more make an index. The same input gives the same digests.
pub fn write_image(
    root: &Path,
    repository: &str,
    tag: &str,
    platforms: &[PlatformImage],
) -> io::Result<Digest> {
    if let [only] = platforms {
        let manifest = write_platform(root, repository, only)?;
        let bytes = manifest.to_string();
        let tag = Some(tag);
        return write_manifest(
            root,
            repository,
            tag,
            media_type::OCI_MANIFEST,
            bytes.as_bytes(),
        );
    }
    let children = platforms.iter().map(|image| {
        let bytes = write_platform(root, repository, image)?.to_string();
        Ok(json!({
            "mediaType": media_type::OCI_MANIFEST,
            "digest": write_blob(root, repository, bytes.as_bytes())?,
            "size": bytes.len(),
            "platform": platform(image),
        }))
    });
    let index = json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_INDEX,
        "manifests": children.collect::<io::Result<Vec<Value>>>()?,
    });
    let bytes = index.to_string();
    write_manifest(
        root,
        repository,
        Some(tag),
        media_type::OCI_INDEX,
        bytes.as_bytes(),
    )
}

fn write_platform(root: &Path, repository: &str, image: &PlatformImage) -> io::Result<Value> {
    let mut layers = Vec::new();
    for tar in &image.layers {
        let bytes = gzip(tar)?;
        layers.push(json!({
            "mediaType": LAYER,
            "digest": write_blob(root, repository, &bytes)?,
            "size": bytes.len(),
        }));
    }
    let diff_ids: Vec<Digest> = image.layers.iter().map(|tar| Digest::of(tar)).collect();
    let history: Vec<Value> = (1..=diff_ids.len())
        .map(|number| json!({"created": EPOCH, "created_by": format!("layer {number}")}))
        .collect();
    let mut config = platform(image);
    config["created"] = json!(EPOCH);
    config["config"] = image.config.clone();
    config["rootfs"] = json!({"type": "layers", "diff_ids": diff_ids});
    config["history"] = json!(history);
    let config = config.to_string();
    Ok(json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_MANIFEST,
        "config": {
            "mediaType": CONFIG,
            "digest": write_blob(root, repository, config.as_bytes())?,
            "size": config.len(),
        },
        "layers": layers,
    }))
}

const EPOCH: &str = "1970-01-01T00:00:00Z";

fn platform(image: &PlatformImage) -> Value {
    let mut platform = json!({
        "os": image.platform.os(),
        "architecture": image.platform.architecture(),
    });
    if let Some(variant) = image.platform.variant() {
        platform["variant"] = json!(variant);
    }
    platform
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzBuilder::new().write(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}
