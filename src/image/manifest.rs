//! Manifests as they came over the wire.

use bytes::Bytes;
use serde::Deserialize;

use super::{Digest, ImageIndex, ImageManifest, media_type};

/// A manifest or index: the bytes as received, their media type and their digest. What is copied
/// is always the bytes; [`Manifest::content`] is for reading only, because writing a parsed
/// manifest again would lose unknown fields and change the digest.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Manifest {
    media_type: String,
    bytes: Bytes,
    digest: Digest,
}

/// What a manifest says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Content {
    /// A single image.
    Image(Box<ImageManifest>),
    /// An index, or Docker's manifest list.
    Index(Box<ImageIndex>),
}

/// Bytes are no manifest that longshore can read.
#[derive(Debug, thiserror::Error)]
pub enum ParseManifestError {
    /// The media type is none of the four known.
    #[error("media type `{0}` is not one of an image or index")]
    MediaType(String),
    /// The JSON is not that of a manifest.
    #[error("manifest `{digest}` is malformed")]
    Malformed {
        /// The digest of the malformed bytes.
        digest: Digest,
        /// What is wrong, and where.
        source: serde_json::Error,
    },
}

impl Manifest {
    /// A manifest from its bytes; the digest is computed. Where the media type inside the JSON
    /// differs from the one received, the inner one counts, as the OCI image specification says.
    pub fn new(received_media_type: &str, bytes: Bytes) -> Self {
        let digest = Digest::of(&bytes);
        let media_type = embedded_media_type(&bytes).unwrap_or_else(|| {
            let plain = received_media_type.split(';').next().unwrap_or_default();
            plain.trim().to_owned()
        });
        Self {
            media_type,
            bytes,
            digest,
        }
    }

    /// The media type, without parameters.
    pub fn media_type(&self) -> &str {
        &self.media_type
    }

    /// The bytes as received.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The SHA-256 digest of the bytes.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Whether this is an index.
    pub fn is_index(&self) -> bool {
        media_type::is_index(&self.media_type)
    }

    /// What the manifest says.
    pub fn content(&self) -> Result<Content, ParseManifestError> {
        let malformed = |source| ParseManifestError::Malformed {
            digest: self.digest.clone(),
            source,
        };
        match self.media_type.as_str() {
            media_type::OCI_INDEX | media_type::DOCKER_LIST => serde_json::from_slice(&self.bytes)
                .map(Content::Index)
                .map_err(malformed),
            media_type::OCI_MANIFEST | media_type::DOCKER_MANIFEST => {
                serde_json::from_slice(&self.bytes)
                    .map(Content::Image)
                    .map_err(malformed)
            }
            other => Err(ParseManifestError::MediaType(other.to_owned())),
        }
    }
}

fn embedded_media_type(bytes: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Embedded {
        media_type: Option<String>,
    }
    serde_json::from_slice::<Embedded>(bytes).ok()?.media_type
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_embedded_media_type_counts() {
        let bytes = format!(
            r#"{{"schemaVersion":2,"mediaType":"{}"}}"#,
            media_type::DOCKER_LIST
        );
        let manifest = Manifest::new("application/json", Bytes::from(bytes));
        assert_eq!(manifest.media_type(), media_type::DOCKER_LIST);
        assert!(manifest.is_index());
    }

    #[test]
    fn reads_a_docker_list_with_an_attestation() {
        let digest = Digest::of(b"x");
        let bytes = format!(
            r#"{{"schemaVersion":2,"manifests":[
              {{"mediaType":"{0}","size":1,"digest":"{digest}","platform":{{"os":"linux","architecture":"amd64"}}}},
              {{"mediaType":"{0}","size":1,"digest":"{digest}","platform":{{"os":"unknown","architecture":"unknown"}}}}]}}"#,
            media_type::DOCKER_MANIFEST
        );
        let manifest = Manifest::new(
            &format!("{}; charset=utf-8", media_type::DOCKER_LIST),
            Bytes::from(bytes),
        );
        let Content::Index(index) = manifest.content().unwrap() else {
            panic!("not an index")
        };
        let platforms: Vec<_> = index
            .manifests()
            .iter()
            .filter_map(|child| child.platform().as_ref())
            .map(|platform| super::super::Platform::from(platform).to_string())
            .collect();
        assert_eq!(platforms, ["linux/amd64", "unknown/unknown"]);
    }

    #[test]
    fn an_unknown_media_type_is_named() {
        let manifest = Manifest::new("text/html", Bytes::from_static(b"<html>"));
        assert_eq!(
            manifest.content().unwrap_err().to_string(),
            "media type `text/html` is not one of an image or index"
        );
    }
}
