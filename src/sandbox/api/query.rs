//! The query protocol: forms with answers in XML.

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use url::form_urlencoded::parse;

use super::serve::is_known;
use super::{iam, sts};
use crate::sandbox::fresh;
use crate::sandbox::state::State;

/// The `Action` of a form.
pub(super) fn action(body: &[u8]) -> Option<String> {
    field(body, "Action")
}

/// Answers a call.
pub(super) fn serve(
    state: &State,
    key: Option<&str>,
    action: Option<&str>,
    body: &[u8],
) -> Response {
    if !is_known(state, key) {
        return error(
            StatusCode::FORBIDDEN,
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
        );
    }
    match action {
        Some("GetCallerIdentity") => sts::caller_identity(state, key),
        Some("AssumeRole") => sts::assume_role(state, body),
        Some("GetRole") => iam::get_role(state, body),
        Some("SimulatePrincipalPolicy") => iam::simulate(body),
        other => error(
            StatusCode::BAD_REQUEST,
            "InvalidAction",
            &format!(
                "Could not find operation {} for version 2011-06-15",
                other.unwrap_or_default()
            ),
        ),
    }
}

/// A field of a form.
pub(super) fn field(body: &[u8], name: &str) -> Option<String> {
    let mut values = parse(body).filter(|(key, _)| key == name);
    values.next().map(|(_, value)| value.into_owned())
}

/// The answer of a service with this namespace.
pub(super) fn answer(namespace: &str, action: &str, result: &str) -> Response {
    respond(
        StatusCode::OK,
        format!(
            "<{action}Response xmlns=\"{namespace}\">\
             <{action}Result>{result}</{action}Result>\
             <ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata></{action}Response>",
            fresh::uuid()
        ),
    )
}

/// A refusal.
pub(super) fn error(status: StatusCode, code: &str, message: &str) -> Response {
    respond(
        status,
        format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>\
             <Message>{message}</Message></Error><RequestId>{}</RequestId></ErrorResponse>",
            fresh::uuid()
        ),
    )
}

fn respond(status: StatusCode, body: String) -> Response {
    Response::builder()
        .status(status)
        .header("content-type", "text/xml")
        .body(Body::from(body))
        .expect("the header is valid")
}
