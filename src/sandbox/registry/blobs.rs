//! Blobs: seen only through a repository that has them, downloaded from the storage.

use axum::body::Body;
use axum::http::{Response, StatusCode};

use super::Refusal;
use crate::image::Digest;
use crate::sandbox::content::Content;
use crate::sandbox::state::State;
use crate::sandbox::storage;

/// `HEAD`: the size.
pub(super) async fn head(
    state: &State,
    name: &str,
    digest: &str,
) -> Result<Response<Body>, Refusal> {
    let (digest, content) = find(state, name, digest)?;
    let response = Response::builder()
        .header("content-length", content.size().await?)
        .header("content-type", "application/octet-stream")
        .header("docker-content-digest", digest.as_str())
        .body(Body::empty());
    Ok(response.expect("a digest is a valid header"))
}

/// `GET`: a redirect to a signed address of another host, as at ECR.
pub(super) fn get(state: &State, name: &str, digest: &str) -> Result<Response<Body>, Refusal> {
    let (digest, _) = find(state, name, digest)?;
    let response = Response::builder()
        .status(StatusCode::TEMPORARY_REDIRECT)
        .header("location", storage::address(state, &digest))
        .body(Body::empty());
    Ok(response.expect("an address is a valid header"))
}

fn find(state: &State, name: &str, digest: &str) -> Result<(Digest, Content), Refusal> {
    let inventory = state.store.read();
    let repository = inventory.repositories.get(name);
    let visible = repository.is_some_and(|repository| repository.blobs.contains_key(digest));
    let digest = digest.parse().ok().filter(|_| visible);
    digest
        .and_then(|digest: Digest| {
            let content = state.store.blobs.get(&digest)?;
            Some((digest, content))
        })
        .ok_or_else(|| Refusal::not_found("BLOB_UNKNOWN", "blob unknown to registry"))
}
