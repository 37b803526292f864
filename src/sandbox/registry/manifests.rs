//! Manifests: what may be pushed, and what a pull gets to see.

use axum::body::Body;
use axum::http::{HeaderMap, Method, Response, StatusCode, header, request};

use super::referrers::Referrer;
use super::{Refusal, convert, is_accepted};
use crate::image::{Digest, Manifest, Tag, media_type};
use crate::sandbox::fresh;
use crate::sandbox::repository::{Image, Parts, Repository};
use crate::sandbox::state::State;

/// The most bytes of a manifest: the API model's maximum of `ImageManifest`.
const LARGEST: usize = 4_194_304;
const MANIFEST: &str = "ImageManifest";

/// `HEAD` and `GET`. Only `HEAD` says the digest. What the client does not accept is converted when
/// it was asked for by tag; by digest it is not found.
pub(super) fn read(
    state: &State,
    name: &str,
    reference: &str,
    request: &request::Parts,
) -> Result<Response<Body>, Refusal> {
    let inventory = state.store.read();
    let found = inventory.repositories.get(name).and_then(|repository| {
        let digest = repository.resolve(reference)?;
        Some((digest, repository.images.get(digest)?))
    });
    let missing = || Refusal::not_found("MANIFEST_UNKNOWN", "Requested image not found");
    let (digest, image) = found.ok_or_else(missing)?;
    let by_tag = digest != reference;
    let (media_type, text, digest) = if is_accepted(&request.headers, &image.media_type) {
        (
            image.media_type.clone(),
            image.text.clone(),
            digest.to_owned(),
        )
    } else if by_tag {
        let (media_type, text) = convert(&image.media_type, &image.text);
        let digest = Digest::of(text.as_bytes()).to_string();
        (media_type, text, digest)
    } else {
        return Err(missing());
    };
    let mut response = Response::builder()
        .header(header::CONTENT_TYPE, media_type)
        .header(header::CONTENT_LENGTH, text.len());
    let body = if request.method == Method::HEAD {
        response = response.header("docker-content-digest", digest);
        Body::empty()
    } else {
        Body::from(text)
    };
    Ok(response
        .body(body)
        .expect("media types and digests are valid headers"))
}

/// `PUT`: everything that the manifest refers to must be in this very repository, and a tag must
/// not be fixed to something else.
pub(super) async fn put(
    state: &State,
    name: &str,
    reference: &str,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response<Body>, Refusal> {
    let bytes = axum::body::to_bytes(body, 4 * LARGEST).await;
    let bytes = bytes.ok().filter(|bytes| bytes.len() <= LARGEST);
    let bytes = bytes.ok_or_else(|| {
        rejected(
            MANIFEST,
            &format!("Member must have length less than or equal to {LARGEST}"),
        )
    })?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let parts = Parts::of(&text).ok_or_else(|| rejected(MANIFEST, "Invalid JSON syntax"))?;
    let received = headers.get(header::CONTENT_TYPE);
    let received = received.and_then(|value| value.to_str().ok());
    let manifest = Manifest::new(received.unwrap_or_default(), bytes);
    if !media_type::ACCEPT_MANIFESTS.contains(&manifest.media_type()) {
        return Err(rejected(MANIFEST, "Unsupported media type"));
    }
    let digest = manifest.digest();
    let subject = Referrer::of(&manifest).map(|referrer| referrer.subject);
    let tag = (!reference.contains(':')).then_some(reference);
    if tag.is_some_and(|tag| tag.parse::<Tag>().is_err()) {
        return Err(rejected("imageTag", "must satisfy regular expression"));
    }
    if tag.is_none() && digest.as_str() != reference {
        let message = format!("The digest of the manifest is {digest} and not {reference}");
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "DIGEST_INVALID",
            message,
        ));
    }
    state.store.change(|inventory| {
        let missing = || Refusal::not_found("NAME_UNKNOWN", state.repository_is_missing(name));
        let repository = inventory.repositories.get_mut(name).ok_or_else(missing)?;
        require(repository, &parts, name, &state.options.account_id)?;
        if let Some(tag) = tag {
            set_tag(repository, name, tag, digest.as_str())?;
        }
        let image = Image {
            media_type: manifest.media_type().to_owned(),
            text,
            pushed_at: fresh::now(),
        };
        repository.images.entry(digest.to_string()).or_insert(image);
        Ok::<_, Refusal>(())
    })?;
    let mut response = Response::builder()
        .status(StatusCode::CREATED)
        .header("docker-content-digest", digest.as_str())
        .header(header::CONTENT_LENGTH, 0);
    if let Some(subject) = subject {
        response = response.header("oci-subject", subject.as_str());
    }
    let response = response.body(Body::empty());
    Ok(response.expect("a digest is a valid header"))
}

fn set_tag(
    repository: &mut Repository,
    name: &str,
    tag: &str,
    digest: &str,
) -> Result<(), Refusal> {
    let moves = repository.tags.get(tag).is_some_and(|old| old != digest);
    if moves && repository.settings.mutability.is_fixed(tag) {
        // The status is shown in triggerdotdev/trigger.dev#2473.
        let message = format!(
            "The image tag '{tag}' already exists in the '{name}' repository and cannot be \
             overwritten because the tag is immutable."
        );
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "TAG_INVALID",
            message,
        ));
    }
    repository.tags.insert(tag.to_owned(), digest.to_owned());
    Ok(())
}

fn require(
    repository: &Repository,
    parts: &Parts,
    name: &str,
    account_id: &str,
) -> Result<(), Refusal> {
    let blobs = parts.blobs.keys();
    let blobs: Vec<_> = blobs
        .filter(|digest| !repository.blobs.contains_key(*digest))
        .map(String::as_str)
        .collect();
    let children = parts.children.iter();
    let children: Vec<_> = children
        .filter(|digest| !repository.images.contains_key(*digest))
        .map(String::as_str)
        .collect();
    let (what, missing) = match (blobs.is_empty(), children.is_empty()) {
        (true, true) => return Ok(()),
        (false, _) => ("Layers", blobs),
        (true, false) => ("Images", children),
    };
    let message = format!(
        "{what} with digests '[{}]' required for pushing image into repository with name \
         '{name}' in the registry with id '{account_id}' do not exist",
        missing.join(", ")
    );
    // No source shows the status; the code is what clients go by.
    let status = StatusCode::NOT_FOUND;
    Err(Refusal::new(status, "MANIFEST_BLOB_UNKNOWN", message))
}

fn rejected(parameter: &str, constraint: &str) -> Refusal {
    Refusal::unsupported(format!(
        "Invalid parameter at '{parameter}' failed to satisfy constraint: '{constraint}'"
    ))
}
