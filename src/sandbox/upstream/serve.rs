//! What each path answers.

use std::io;

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use super::Pulls;
use super::access::hidden;
use crate::image::{Digest, Manifest};
use crate::sandbox::layout::Layout;
use crate::sandbox::registry::{Refusal, list_referrers};
use crate::sandbox::route::{Route, query};
use crate::sandbox::state::State;

/// Answers a request to the upstream registry.
pub(in crate::sandbox) async fn serve(state: &State, request: Request<Body>) -> Response {
    let known = (&state.options.upstream, state.addresses.upstream);
    let (Some(upstream), Some(address)) = known else {
        return Refusal::not_found("NOT_FOUND", "there is no upstream registry").into_response();
    };
    let (access, pulls) = (&state.access, state.pulls.as_ref());
    let (request, _) = request.into_parts();
    let (uri, headers, method) = (&request.uri, &request.headers, &request.method);
    if uri.path() == "/token" && upstream.bearer {
        return access.token(upstream.login.as_ref(), headers, uri);
    }
    let route = Route::of(uri.path());
    if let Some(refused) = access.refuse(
        upstream,
        &state.tokens,
        address,
        headers,
        route.repository(),
    ) {
        return refused;
    }
    let Some(name) = route.repository() else {
        return ping(&route);
    };
    let layout = match Layout::open(&upstream.root, name) {
        Ok(Some(layout)) => layout,
        Ok(None) => return hidden(upstream, address, name),
        Err(error) => return Refusal::from(error).into_response(),
    };
    let reads = method == Method::GET || method == Method::HEAD;
    let answer = match route {
        _ if !reads => Err(unsupported()),
        Route::Manifest(_, reference) => if pulls.is_some_and(|pulls| !pulls.take(method)) {
            Ok(Pulls::refusal())
        } else {
            manifest(&layout, &reference, method)
        }
        .map(|response| limited(response, pulls)),
        Route::Blob(_, digest) => blob(&layout, &digest, headers).await,
        Route::Tags(name) => Ok(tags(&layout, &name, uri)),
        Route::Referrers(name, digest) if upstream.referrers => {
            list_referrers(&name, &digest, layout.manifests(), uri)
        }
        Route::Referrers(..) => Err(Refusal::not_found("NOT_FOUND", "no such path")),
        _ => Err(unsupported()),
    };
    answer.unwrap_or_else(Refusal::into_response)
}

fn ping(route: &Route) -> Response {
    match route {
        Route::Ping => Response::new(Body::from("{}")),
        _ => Refusal::not_found("NOT_FOUND", "no such path").into_response(),
    }
}

fn limited(mut response: Response, pulls: Option<&Pulls>) -> Response {
    if let Some(pulls) = pulls {
        pulls.show(&mut response);
    }
    response
}

fn manifest(layout: &Layout, reference: &str, method: &Method) -> Result<Response, Refusal> {
    let manifest: Manifest = layout
        .manifest(reference)
        .ok_or_else(|| Refusal::not_found("MANIFEST_UNKNOWN", "manifest unknown"))?;
    let body = match *method {
        Method::HEAD => Body::empty(),
        _ => Body::from(manifest.bytes().clone()),
    };
    let response = Response::builder()
        .header(header::CONTENT_TYPE, manifest.media_type())
        .header(header::CONTENT_LENGTH, manifest.bytes().len())
        .header("docker-content-digest", manifest.digest().as_str())
        .body(body);
    Ok(response.expect("a manifest's media type is a valid header"))
}

async fn blob(layout: &Layout, digest: &str, headers: &HeaderMap) -> Result<Response, Refusal> {
    let missing = || Refusal::not_found("BLOB_UNKNOWN", "blob unknown to registry");
    let digest: Digest = digest.parse().map_err(|_| missing())?;
    match layout.blob(&digest).download(headers).await {
        Ok(response) => Ok(response),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(missing()),
        Err(error) => Err(error.into()),
    }
}

/// A page of tags in the specification's way: `last` is a tag.
fn tags(layout: &Layout, name: &str, uri: &Uri) -> Response {
    let last = query(uri, "last").unwrap_or_default();
    let size = query(uri, "n")
        .and_then(|n| n.parse().ok())
        .unwrap_or(usize::MAX);
    let mut tags = layout.tags();
    tags.retain(|tag| *tag > last);
    let more = tags.len() > size;
    tags.truncate(size);
    let mut response = Response::builder().header(header::CONTENT_TYPE, "application/json");
    if let Some(last) = tags.last().filter(|_| more) {
        let link = format!("</v2/{name}/tags/list?last={last}&n={size}>; rel=\"next\"");
        response = response.header(header::LINK, link);
    }
    let body = json!({"name": name, "tags": tags}).to_string();
    response
        .body(Body::from(body))
        .expect("a tag is a valid header")
}

fn unsupported() -> Refusal {
    let status = StatusCode::METHOD_NOT_ALLOWED;
    Refusal::new(status, "UNSUPPORTED", "The operation is unsupported.")
}
