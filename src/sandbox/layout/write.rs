//! The writing of layouts.

use std::fs;
use std::io;
use std::path::Path;

use serde_json::{Value, json};

use crate::image::{Digest, media_type};

/// The annotation that holds a tag.
pub(super) const TAG: &str = "org.opencontainers.image.ref.name";

/// Writes a blob into a repository's layout and returns its digest. `root` is the folder of all
/// layouts.
pub fn write_blob(root: &Path, repository: &str, bytes: &[u8]) -> io::Result<Digest> {
    let folder = root.join(repository).join("blobs/sha256");
    fs::create_dir_all(&folder)?;
    let digest = Digest::of(bytes);
    fs::write(folder.join(digest.hex()), bytes)?;
    Ok(digest)
}

/// Writes a manifest or index into a repository's layout, byte for byte, and returns its digest. A
/// tag moves to it from whatever had it; without one it can be pulled by digest only.
pub fn write_manifest(
    root: &Path,
    repository: &str,
    tag: Option<&str>,
    media_type: &str,
    bytes: &[u8],
) -> io::Result<Digest> {
    let digest = write_blob(root, repository, bytes)?;
    let folder = root.join(repository);
    fs::write(
        folder.join("oci-layout"),
        r#"{"imageLayoutVersion":"1.0.0"}"#,
    )?;
    let file = folder.join("index.json");
    let mut entries = match fs::read(&file) {
        Ok(index) => entries(&index)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let mut entry = json!({
        "mediaType": media_type,
        "digest": digest,
        "size": bytes.len(),
    });
    if let Some(tag) = tag {
        entries.retain(|entry| entry["annotations"][TAG] != tag);
        entry["annotations"] = json!({TAG: tag});
    }
    entries.push(entry);
    let index = json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_INDEX,
        "manifests": entries,
    });
    // The upstream registry may be reading: it must see the old index or the new one.
    let new = folder.join("index.json.new");
    fs::write(&new, index.to_string())?;
    fs::rename(new, file)?;
    Ok(digest)
}

/// The entries of an `index.json`.
pub(super) fn entries(index: &[u8]) -> io::Result<Vec<Value>> {
    let mut index: Value = serde_json::from_slice(index)?;
    Ok(match index["manifests"].take() {
        Value::Array(entries) => entries,
        _ => Vec::new(),
    })
}
