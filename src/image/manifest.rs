//! Manifests as they came over the wire.

use bytes::Bytes;
use serde::Deserialize;

use super::{Descriptor, Digest, ImageIndex, ImageManifest, media_type};

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
    /// It is an image as Docker described it until 2016.
    #[error("it has Docker's manifest schema 1, which registries and Docker have given up")]
    Schema1,
    /// It is an index of layers, which only BuildKit reads.
    #[error("it is a BuildKit cache and no image")]
    BuildCache,
    /// The JSON is not that of a manifest.
    #[error("manifest `{digest}` is malformed")]
    Malformed {
        /// The digest of the malformed bytes.
        digest: Digest,
        /// What is wrong, and where.
        source: serde_json::Error,
    },
}

impl ParseManifestError {
    /// What the user can do about it: one sentence without a final period.
    pub fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::Schema1 => Some(
                "write the image anew once, as `skopeo copy --format v2s2` does, and name the \
                 result as the source",
            ),
            Self::BuildCache => Some(
                "leave the tag out; a cache in ECR is written there by BuildKit itself, with \
                 `image-manifest=true,oci-mediatypes=true` in its `--cache-to`",
            ),
            Self::MediaType(_) | Self::Malformed { .. } => None,
        }
    }
}

impl Manifest {
    /// A manifest from its bytes; the digest is computed. Where the media type inside the JSON
    /// differs from the one received, the inner one counts, as the OCI image specification says.
    pub fn new(received_media_type: &str, bytes: Bytes) -> Self {
        let digest = Digest::of(&bytes);
        let embedded = embedded(&bytes).and_then(|it| it.media_type);
        let media_type = embedded.unwrap_or_else(|| {
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

    /// Whether this is an image of Docker's schema 1. Its digest is that of its bytes without the
    /// signatures in them.
    pub fn is_schema_1(&self) -> bool {
        media_type::SCHEMA_1.contains(&self.media_type.as_str())
            || embedded(&self.bytes).is_some_and(|it| it.schema_version == Some(1))
    }

    /// What the manifest says.
    pub fn content(&self) -> Result<Content, ParseManifestError> {
        let malformed = |source| ParseManifestError::Malformed {
            digest: self.digest.clone(),
            source,
        };
        if self.is_schema_1() {
            return Err(ParseManifestError::Schema1);
        }
        match self.media_type.as_str() {
            media_type::OCI_INDEX | media_type::DOCKER_LIST => {
                let index: Box<ImageIndex> =
                    serde_json::from_slice(&self.bytes).map_err(malformed)?;
                let is_cache = |child: &Descriptor| {
                    let kind: &str = child.media_type().as_ref();
                    kind == media_type::BUILDKIT_CACHE
                };
                if index.manifests().iter().any(is_cache) {
                    return Err(ParseManifestError::BuildCache);
                }
                Ok(Content::Index(index))
            }
            media_type::OCI_MANIFEST | media_type::DOCKER_MANIFEST => {
                serde_json::from_slice(&self.bytes)
                    .map(Content::Image)
                    .map_err(malformed)
            }
            other => Err(ParseManifestError::MediaType(other.to_owned())),
        }
    }
}

/// What a manifest says of its kind.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Embedded {
    schema_version: Option<u64>,
    media_type: Option<String>,
}

fn embedded(bytes: &[u8]) -> Option<Embedded> {
    serde_json::from_slice(bytes).ok()
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

    #[test]
    fn what_is_no_image_is_named_with_a_remedy() {
        let cache = format!(
            r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"{}","size":1,"digest":"{}"}}]}}"#,
            media_type::BUILDKIT_CACHE,
            Digest::of(b"x"),
        );
        let told = [
            (media_type::OCI_INDEX, cache.as_str()),
            (media_type::DOCKER_LIST, &cache),
            (media_type::SCHEMA_1[0], "{}"),
            // Some registries do not say it.
            ("application/json", r#"{"schemaVersion": 1}"#),
        ]
        .map(|(kind, text)| {
            let manifest = Manifest::new(kind, Bytes::from(text.to_owned()));
            let error = manifest.content().unwrap_err();
            assert!(error.remedy().is_some(), "{text}");
            error.to_string()
        });
        let [cache, schema_1] = ["BuildKit cache", "manifest schema 1"];
        for (told, expected) in told.iter().zip([cache, cache, schema_1, schema_1]) {
            assert!(told.contains(expected), "{told}");
        }
    }
}
