//! An index with some of another index's platforms.

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::image::{Manifest, Platform, media_type};

use super::marks::Marks;

/// What BuildKit writes at an attestation: the digest of the image that it is about.
const ATTESTED: &str = "vnd.docker.reference.digest";

/// An OCI index with those children of an index that are of these platforms, and their
/// attestations: the descriptors as they are, in their order, with the marks as annotations. The
/// same input gives the same bytes.
pub(super) fn filter(
    index: &Manifest,
    platforms: &[Platform],
    marks: &Marks,
) -> Result<Manifest, serde_json::Error> {
    let mut document: Map<String, Value> = serde_json::from_slice(index.bytes())?;
    let children = match document.remove("manifests") {
        Some(Value::Array(children)) => children,
        _ => Vec::new(),
    };
    let wanted = |child: &Value| platform(child).is_some_and(|found| platforms.contains(&found));
    let digests: Vec<String> = children
        .iter()
        .filter(|child| wanted(child))
        .filter_map(digest)
        .collect();
    let about_wanted = |child: &Value| {
        let about = &child["annotations"][ATTESTED];
        about
            .as_str()
            .is_some_and(|about| digests.iter().any(|digest| digest == about))
    };
    let kept = children
        .into_iter()
        .filter(|child| wanted(child) || about_wanted(child));
    document.insert("manifests".to_owned(), kept.collect());
    document.insert("mediaType".to_owned(), media_type::OCI_INDEX.into());
    let mut annotations = match document.remove("annotations") {
        Some(Value::Object(annotations)) => annotations,
        _ => Map::new(),
    };
    let marks = marks.write().into_iter();
    annotations.extend(marks.map(|(name, value)| (name, value.into())));
    document.insert("annotations".to_owned(), annotations.into());
    let bytes = serde_json::to_vec(&document)?;
    Ok(Manifest::new(media_type::OCI_INDEX, Bytes::from(bytes)))
}

fn platform(child: &Value) -> Option<Platform> {
    let platform = child.get("platform")?;
    let text = |name: &str| platform.get(name).and_then(Value::as_str);
    Some(Platform::new(
        text("os")?,
        text("architecture")?,
        text("variant"),
    ))
}

fn digest(child: &Value) -> Option<String> {
    child.get("digest")?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keeps_descriptors_as_they_are_and_their_attestations() {
        let child = |digest: &str, architecture: &str| {
            json!({
                "mediaType": media_type::DOCKER_MANIFEST,
                "digest": digest,
                "size": 1,
                "x-unknown": true,
                "platform": {"os": "linux", "architecture": architecture},
            })
        };
        let attestation = |about: &str| {
            json!({
                "digest": format!("attestation of {about}"),
                "annotations": {ATTESTED: about},
                "platform": {"os": "unknown", "architecture": "unknown"},
            })
        };
        let children = [
            child("a", "arm64"),
            child("b", "s390x"),
            child("c", "amd64"),
            attestation("a"),
            attestation("b"),
        ];
        let index = json!({
            "schemaVersion": 2,
            "manifests": children,
            "annotations": null,
            "x-top": 1,
        });
        let index = Manifest::new(media_type::DOCKER_LIST, index.to_string().into());
        let marks = Marks {
            base_name: "docker.io/library/redis:7".to_owned(),
            base_digest: "sha256:base".to_owned(),
            recipe: "sha256:recipe".to_owned(),
        };
        let platforms = ["linux/amd64", "linux/arm64"].map(|text| text.parse().unwrap());
        let filtered = filter(&index, &platforms, &marks).unwrap();
        assert_eq!(filtered, filter(&index, &platforms, &marks).unwrap());
        assert_eq!(filtered.media_type(), media_type::OCI_INDEX);
        let document: Value = serde_json::from_slice(filtered.bytes()).unwrap();
        let [a, _, c, about_a, _] = children;
        assert_eq!(document["manifests"], json!([a, c, about_a]));
        assert_eq!(document["x-top"], 1);
        assert_eq!(document["annotations"]["longshore.recipe"], "sha256:recipe");
    }
}
