//! Lists of tags.

use axum::body::Body;
use axum::http::{Response, Uri};
use serde_json::json;
use url::form_urlencoded::byte_serialize;

use super::Refusal;
use crate::sandbox::page::page;
use crate::sandbox::route::query;
use crate::sandbox::state::State;

/// One page of tags. At ECR the order is not lexical, `last` is opaque, more than 1,000 at once is
/// an error, and the type is plain text; so it is here.
pub(super) fn list(state: &State, name: &str, uri: &Uri) -> Result<Response<Body>, Refusal> {
    let tags: Vec<String> = {
        let inventory = state.store.read();
        let repository = inventory.repositories.get(name);
        let tags = repository.into_iter().flat_map(|it| it.tags.keys());
        tags.rev().cloned().collect()
    };
    let size = query(uri, "n").map(|n| n.parse().unwrap_or_default());
    let last = query(uri, "last");
    let (tags, next) = page(tags, size, last.as_deref()).map_err(Refusal::unsupported)?;
    let mut response = Response::builder().header("content-type", "text/plain; charset=utf-8");
    if let Some(next) = next {
        let last: String = byte_serialize(next.as_bytes()).collect();
        let n = size.map(|size| format!("&n={size}")).unwrap_or_default();
        let link = format!("</v2/{name}/tags/list?last={last}{n}>; rel=\"next\"");
        response = response.header("link", link);
    }
    let body = json!({"name": name, "tags": tags}).to_string();
    Ok(response
        .body(Body::from(body))
        .expect("a path is a valid header"))
}
