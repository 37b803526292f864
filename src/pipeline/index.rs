//! An index over the images of several platforms.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Serialize;

use crate::image::{Digest, Manifest, Platform, media_type};
use crate::registry::ManifestHead;

use super::marks::Marks;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    schema_version: u8,
    media_type: &'static str,
    manifests: Vec<Child>,
    annotations: BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Child {
    media_type: String,
    digest: Digest,
    size: u64,
    platform: ChildPlatform,
}

#[derive(Serialize)]
struct ChildPlatform {
    architecture: String,
    os: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<String>,
}

/// Joins images that are already in the repository into an OCI index that carries the marks as
/// annotations. The same children give the same bytes.
pub(super) fn join(children: Vec<(Platform, ManifestHead)>, marks: &Marks) -> Manifest {
    let manifests = children
        .into_iter()
        .map(|(platform, head)| Child {
            media_type: head.media_type,
            digest: head.digest,
            size: head.size,
            platform: ChildPlatform {
                architecture: platform.architecture().to_owned(),
                os: platform.os().to_owned(),
                variant: platform.variant().map(str::to_owned),
            },
        })
        .collect();
    let index = Index {
        schema_version: 2,
        media_type: media_type::OCI_INDEX,
        manifests,
        annotations: marks.write(),
    };
    let bytes = serde_json::to_vec(&index).expect("texts and numbers become JSON");
    Manifest::new(media_type::OCI_INDEX, Bytes::from(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_children_give_the_same_bytes() {
        let child = |platform: &str, size| {
            let head = ManifestHead {
                digest: Digest::of(platform.as_bytes()),
                media_type: media_type::DOCKER_MANIFEST.to_owned(),
                size,
            };
            (platform.parse().unwrap(), head)
        };
        let marks = Marks {
            base_name: "docker.io/library/redis:7".to_owned(),
            base_digest: "sha256:base".to_owned(),
            recipe: "sha256:recipe".to_owned(),
        };
        let index = join(
            vec![child("linux/amd64", 1), child("linux/arm/v7", 2)],
            &marks,
        );
        insta::assert_snapshot!(String::from_utf8_lossy(index.bytes()));
    }
}
