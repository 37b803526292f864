//! Who calls, and which of the two protocols is spoken.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde_json::Value;

use super::dispatch::dispatch;
use super::exception::{Exception, respond};
use super::sts;
use crate::sandbox::state::State;

const ECR: &str = "AmazonEC2ContainerRegistry_V20150921.";

/// The operation that a request asks for, in either protocol.
pub(in crate::sandbox) fn operation(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let target = headers.get("x-amz-target").and_then(|it| it.to_str().ok());
    match target {
        Some(target) => Some(target.strip_prefix(ECR).unwrap_or(target).to_owned()),
        None => sts::action(body),
    }
}

/// Answers a call.
pub(in crate::sandbox) fn serve(
    state: &State,
    headers: &HeaderMap,
    operation: Option<&str>,
    body: &[u8],
) -> Response {
    let key = access_key_id(headers);
    if !headers.contains_key("x-amz-target") {
        return sts::serve(state, key, operation, body);
    }
    let result = check(state, key).and_then(|()| {
        let input = parse(body)?;
        dispatch(state, operation.unwrap_or_default(), input)
    });
    match result {
        Ok(output) => respond(StatusCode::OK, output.to_string()),
        Err(exception) => exception.into_response(),
    }
}

fn parse(body: &[u8]) -> Result<Value, Exception> {
    if body.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    serde_json::from_slice(body)
        .map_err(|error| Exception::new("SerializationException", error.to_string()))
}

fn check(state: &State, key: Option<&str>) -> Result<(), Exception> {
    if is_known(state, key) {
        return Ok(());
    }
    Err(match key {
        None => Exception::new(
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
        ),
        Some(_) => Exception::new(
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
    })
}

/// Whether an access key id may come in. Signatures are not checked.
pub(super) fn is_known(state: &State, key: Option<&str>) -> bool {
    match (&state.options.access_key_id, key) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(known), Some(key)) => known == key || state.tokens.arn(key).is_some(),
    }
}

/// The access key id of `Authorization: AWS4-HMAC-SHA256 Credential=KEY/DATE/..., ...`.
fn access_key_id(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (_, credential) = value.split_once("Credential=")?;
    credential.split('/').next()
}
