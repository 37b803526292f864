//! Layers.

use serde::Deserialize;
use serde_json::{Value, json};

use super::exception::Exception;
use super::repositories::find;
use crate::image::Digest;
use crate::sandbox::state::State;

/// The most images or layers of one batch.
const BATCH: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Layers {
    repository_name: String,
    layer_digests: Vec<String>,
}

/// `BatchCheckLayerAvailability`.
pub(super) fn check(state: &State, input: &Layers) -> Result<Value, Exception> {
    limit("layerDigests", input.layer_digests.len())?;
    let inventory = state.store.read();
    let repository = find(state, &inventory, &input.repository_name)?;
    let (mut layers, mut failures) = (Vec::new(), Vec::new());
    for digest in &input.layer_digests {
        if digest.parse::<Digest>().is_err() {
            failures.push(json!({
                "layerDigest": digest,
                "failureCode": "InvalidLayerDigest",
                "failureReason": "Invalid layer digest",
            }));
            continue;
        }
        layers.push(match repository.blobs.get(digest) {
            Some(size) => json!({
                "layerDigest": digest,
                "layerAvailability": "AVAILABLE",
                "layerSize": size,
                "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
            }),
            None => json!({"layerDigest": digest, "layerAvailability": "UNAVAILABLE"}),
        });
    }
    Ok(json!({"layers": layers, "failures": failures}))
}

/// Refuses a batch that is empty or too large.
pub(super) fn limit(parameter: &str, count: usize) -> Result<(), Exception> {
    if (1..=BATCH).contains(&count) {
        return Ok(());
    }
    let constraint = "Member must have length between 1 and 100";
    Err(Exception::invalid_parameter(parameter, constraint))
}
