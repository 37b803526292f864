//! The storage behind the registry, which at ECR is S3: it answers signed addresses and nothing
//! else.

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, Uri, header};
use axum::response::Response;

use super::fresh;
use super::route::query;
use super::state::State;
use crate::image::Digest;

const FOLDER: &str = "/starport-layer-bucket/";
const SIGNATURE: &str = "X-Amz-Signature";

/// A signed address of a blob. Its host is `localhost`, the registry's 127.0.0.1: Go's HTTP client
/// keeps `Authorization` on a redirect to another port, but not on one to another host.
pub(super) fn address(state: &State, digest: &Digest) -> String {
    let port = state.addresses.storage.port();
    let signature = fresh::identifier();
    format!("http://localhost:{port}{FOLDER}{digest}?X-Amz-Expires=3600&{SIGNATURE}={signature}")
}

/// Answers a request to the storage.
pub(super) async fn serve(state: &State, request: Request<Body>) -> Response {
    let (request, _) = request.into_parts();
    if let Some((status, code, message)) = refuse(&request.headers, &request.uri) {
        return error(status, code, message);
    }
    let missing = || {
        let message = "The specified key does not exist.";
        error(StatusCode::NOT_FOUND, "NoSuchKey", message)
    };
    let digest = request.uri.path().strip_prefix(FOLDER);
    let content = digest
        .filter(|_| request.method == Method::GET)
        .and_then(|digest| digest.parse().ok())
        .and_then(|digest| state.store.blobs.get(&digest));
    match content {
        Some(content) => match content.download(&request.headers).await {
            Ok(response) => response,
            Err(_) => missing(),
        },
        None => missing(),
    }
}

fn refuse(headers: &HeaderMap, uri: &Uri) -> Option<(StatusCode, &'static str, &'static str)> {
    if headers.contains_key(header::AUTHORIZATION) {
        let message = "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, \
                       Signature query string parameter or the Authorization header should be \
                       specified";
        return Some((StatusCode::BAD_REQUEST, "InvalidArgument", message));
    }
    if query(uri, SIGNATURE).is_none() {
        return Some((StatusCode::FORBIDDEN, "AccessDenied", "Access Denied"));
    }
    None
}

fn error(status: StatusCode, code: &str, message: &str) -> Response {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/xml")
        .body(Body::from(body))
        .expect("the header is valid")
}
