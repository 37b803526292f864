//! Conversion of manifests between Docker's and OCI's media types.

use axum::http::{HeaderMap, header};
use serde_json::Value;

/// Docker's media types and their OCI counterparts.
const COUNTERPARTS: [(&str, &str); 4] = [
    (
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
    ),
    (
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.index.v1+json",
    ),
    (
        "application/vnd.docker.container.image.v1+json",
        "application/vnd.oci.image.config.v1+json",
    ),
    (
        "application/vnd.docker.image.rootfs.diff.tar.gzip",
        "application/vnd.oci.image.layer.v1.tar+gzip",
    ),
];

/// Whether the `Accept` headers name a media type. `*/*` does not: ECR converts then, too.
pub(in crate::sandbox) fn is_accepted(headers: &HeaderMap, media_type: &str) -> bool {
    let values = headers.get_all(header::ACCEPT).iter();
    let mut types = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|value| value.split(';').next().unwrap_or_default().trim());
    types.any(|accepted| accepted == media_type)
}

/// The manifest in the other family's media types: its type and its text. The digest is another
/// one, which is why a copy that forgets an `Accept` never ends.
pub(in crate::sandbox) fn convert(media_type: &str, text: &str) -> (String, String) {
    let to = counterpart(media_type).unwrap_or(media_type).to_owned();
    let mut manifest: Value = serde_json::from_str(text).unwrap_or_default();
    rewrite(&mut manifest);
    if let Some(manifest) = manifest.as_object_mut() {
        manifest.insert("mediaType".to_owned(), Value::from(to.as_str()));
    }
    (to, manifest.to_string())
}

/// Config and layers change their types; children keep theirs, because they keep their digests.
fn rewrite(manifest: &mut Value) {
    let layers = manifest.get_mut("layers").and_then(Value::as_array_mut);
    for layer in layers.into_iter().flatten() {
        replace(layer);
    }
    if let Some(config) = manifest.get_mut("config") {
        replace(config);
    }
}

fn replace(descriptor: &mut Value) {
    if let Some(media_type) = descriptor.get_mut("mediaType")
        && let Some(other) = media_type.as_str().and_then(counterpart)
    {
        *media_type = Value::from(other);
    }
}

fn counterpart(media_type: &str) -> Option<&'static str> {
    COUNTERPARTS
        .iter()
        .find_map(|(docker, oci)| match media_type {
            it if it == *docker => Some(*oci),
            it if it == *oci => Some(*docker),
            _ => None,
        })
}
