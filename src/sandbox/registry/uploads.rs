//! Uploads, with ECR's deviations from the specification.

use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::http::{HeaderMap, Response, StatusCode, Uri, response};
use futures_util::StreamExt as _;

use super::Refusal;
use crate::image::Digest;
use crate::sandbox::blobs::Upload;
use crate::sandbox::fresh;
use crate::sandbox::route::query;
use crate::sandbox::state::State;

/// Every part but the last must be so large (dotnet/sdk-container-builds#424).
const SMALLEST_PART: u64 = 5 * 1024 * 1024;

/// `POST`: mounts a blob when that is asked for and possible, else begins an upload.
pub(super) async fn begin(state: &State, name: &str, uri: &Uri) -> Result<Response<Body>, Refusal> {
    let asked = query(uri, "mount").zip(query(uri, "from"));
    if let Some((digest, from)) = asked
        && mount(state, name, &from, &digest)?
    {
        return Ok(created(name, &digest));
    }
    let id = fresh::uuid();
    let upload = state.store.blobs.begin().await?;
    let response = progress(StatusCode::ACCEPTED, name, &id, 0);
    state.uploads.lock().insert(id, upload);
    Ok(response)
}

/// ECR mounts only where the account enabled it, and only a blob that a manifest of the source
/// repository refers to; otherwise it begins an upload (containers-roadmap#2860).
fn mount(state: &State, name: &str, from: &str, digest: &str) -> Result<bool, Refusal> {
    if !state.blob_mounting.load(Ordering::Relaxed) {
        return Ok(false);
    }
    state.store.change(|inventory| {
        let source = inventory.repositories.get(from);
        let source = source.filter(|source| source.refers_to(digest));
        let size = source.and_then(|source| source.blobs.get(digest).copied());
        let (Some(size), Some(target)) = (size, inventory.repositories.get_mut(name)) else {
            return Ok(false);
        };
        target.blobs.insert(digest.to_owned(), size);
        Ok(true)
    })
}

/// `PATCH`: one part. ECR answers 201 where the specification says 202, and the `Range` it answers
/// never goes beyond the first part, though all bytes are kept (containers-roadmap#2831).
pub(super) async fn patch(
    state: &State,
    name: &str,
    id: &str,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response<Body>, Refusal> {
    let mut upload = take(state, id)?;
    if start(headers).is_some_and(|start| start != upload.size()) {
        let message = "The part does not begin where the last one ended";
        let status = StatusCode::RANGE_NOT_SATISFIABLE;
        return Err(Refusal::new(status, "BLOB_UPLOAD_INVALID", message));
    }
    receive(&mut upload, body).await?;
    let first = upload.parts.first().copied().unwrap_or_default();
    state.uploads.lock().insert(id.to_owned(), upload);
    Ok(progress(StatusCode::CREATED, name, id, first))
}

/// `PUT`: the last part, or all of it, and the digest.
pub(super) async fn finish(
    state: &State,
    name: &str,
    id: &str,
    uri: &Uri,
    body: Body,
) -> Result<Response<Body>, Refusal> {
    let digest = query(uri, "digest").and_then(|digest| digest.parse::<Digest>().ok());
    let digest = digest.ok_or_else(|| invalid("The digest is missing or malformed"))?;
    let mut upload = take(state, id)?;
    receive(&mut upload, body).await?;
    let size = upload.size();
    if state.store.blobs.finish(upload, &digest).await? != digest {
        // ECR's own code and words (dotnet/sdk-container-builds#424); the specification has
        // DIGEST_INVALID for this.
        return Err(invalid(
            "None of the provided layer digests match the calculated layer digest",
        ));
    }
    state.store.change(|inventory| {
        if let Some(repository) = inventory.repositories.get_mut(name) {
            repository.blobs.insert(digest.to_string(), size);
        }
        Ok::<_, Refusal>(())
    })?;
    Ok(created(name, digest.as_str()))
}

/// `DELETE`: forgets an upload.
pub(super) fn cancel(state: &State, id: &str) -> Result<Response<Body>, Refusal> {
    take(state, id)?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

/// The refusal of an upload that is not under way.
pub(super) fn unknown() -> Refusal {
    Refusal::not_found("BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
}

/// An upload is taken while a request works on it, so that a request that breaks off ends it: at
/// ECR too, another try needs a new upload.
fn take(state: &State, id: &str) -> Result<Upload, Refusal> {
    state.uploads.lock().remove(id).ok_or_else(unknown)
}

async fn receive(upload: &mut Upload, body: Body) -> Result<(), Refusal> {
    let mut pieces = body.into_data_stream();
    let mut size = 0;
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| invalid(error.to_string()))?;
        size += piece.len() as u64;
        upload.append(&piece).await?;
    }
    let last = upload.parts.last();
    if size > 0 && last.is_some_and(|last| *last < SMALLEST_PART) {
        return Err(invalid(
            "All layer parts except the last part should be at least 5MB",
        ));
    }
    if size > 0 {
        upload.parts.push(size);
    }
    Ok(())
}

/// Where a part begins, by its `Content-Range: FIRST-LAST`.
fn start(headers: &HeaderMap) -> Option<u64> {
    let range = headers.get("content-range")?.to_str().ok()?;
    range.split_once('-')?.0.parse().ok()
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "BLOB_UPLOAD_INVALID", message)
}

fn progress(status: StatusCode, name: &str, id: &str, size: u64) -> Response<Body> {
    let response = Response::builder()
        .status(status)
        .header("location", format!("/v2/{name}/blobs/uploads/{id}"))
        .header("docker-upload-uuid", id)
        .header("range", format!("0-{}", size.saturating_sub(1)));
    empty(response)
}

fn created(name: &str, digest: &str) -> Response<Body> {
    let response = Response::builder()
        .status(StatusCode::CREATED)
        .header("location", format!("/v2/{name}/blobs/{digest}"))
        .header("docker-content-digest", digest);
    empty(response)
}

fn empty(response: response::Builder) -> Response<Body> {
    response
        .header("content-length", 0)
        .body(Body::empty())
        .expect("paths and digests are valid headers")
}
