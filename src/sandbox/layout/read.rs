//! The reading of layouts.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::write::{TAG, entries};
use crate::image::{self, Digest, Manifest, media_type};
use crate::sandbox::content::Content;

/// A repository's layout as it is now.
pub(in crate::sandbox) struct Layout {
    folder: PathBuf,
    entries: Vec<Value>,
}

impl Layout {
    /// Reads a repository's layout; `None` when there is none of that name.
    pub(in crate::sandbox) fn open(root: &Path, repository: &str) -> io::Result<Option<Self>> {
        // The grammar of names has no `..`, so nothing outside the root can be named.
        if repository.parse::<image::Repository>().is_err() {
            return Ok(None);
        }
        let folder = root.join(repository);
        match fs::read(folder.join("index.json")) {
            Ok(index) => Ok(Some(Self {
                folder,
                entries: entries(&index)?,
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All tags, sorted.
    pub(in crate::sandbox) fn tags(&self) -> Vec<String> {
        let tags = self.entries.iter().filter_map(tag);
        let mut tags: Vec<String> = tags.map(str::to_owned).collect();
        tags.sort();
        tags
    }

    /// All manifests and indexes that were written as such.
    pub(in crate::sandbox) fn manifests(&self) -> impl Iterator<Item = Manifest> {
        let digests = self.entries.iter().filter_map(|it| it["digest"].as_str());
        let digests: BTreeSet<&str> = digests.collect();
        digests
            .into_iter()
            .filter_map(|digest| self.manifest(digest))
    }

    /// The manifest that a tag or digest stands for.
    pub(in crate::sandbox) fn manifest(&self, reference: &str) -> Option<Manifest> {
        let named = |entry: &&Value| tag(entry) == Some(reference) || entry["digest"] == reference;
        let entry = self.entries.iter().find(named);
        let digest = entry.map_or(Some(reference), |entry| entry["digest"].as_str());
        let digest: Digest = digest?.parse().ok()?;
        let bytes = fs::read(self.path(&digest)).ok()?;
        let known = entry.and_then(|entry| entry["mediaType"].as_str());
        let media_type = match known {
            Some(media_type) => media_type,
            None => shape(&bytes)?,
        };
        Some(Manifest::new(media_type, bytes.into()))
    }

    /// A blob; whether it is there shows when it is read.
    pub(in crate::sandbox) fn blob(&self, digest: &Digest) -> Content {
        Content::File(self.path(digest))
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        let folder = self.folder.join("blobs").join(digest.algorithm());
        folder.join(digest.hex())
    }
}

fn tag(entry: &Value) -> Option<&str> {
    entry["annotations"][TAG].as_str()
}

/// The media type of a manifest that does not say it: an index has children, an image a config.
fn shape(bytes: &[u8]) -> Option<&'static str> {
    let manifest: Value = serde_json::from_slice(bytes).ok()?;
    if manifest.get("manifests").is_some() {
        Some(media_type::OCI_INDEX)
    } else if manifest.get("config").is_some() {
        Some(media_type::OCI_MANIFEST)
    } else {
        None
    }
}
