//! Who calls, and which of the two protocols is spoken.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde_json::Value;

use super::dispatch::dispatch;
use super::exception::{Exception, respond};
use super::{query, sts};
use crate::sandbox::options::{EcrToken, Options};
use crate::sandbox::state::State;

const ECR: &str = "AmazonEC2ContainerRegistry_V20150921.";

/// The operation that a request asks for, in either protocol.
pub(in crate::sandbox) fn operation(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let target = headers.get("x-amz-target").and_then(|it| it.to_str().ok());
    match target {
        Some(target) => Some(target.strip_prefix(ECR).unwrap_or(target).to_owned()),
        None => query::action(body),
    }
}

/// Answers a call.
pub(in crate::sandbox) async fn serve(
    state: &State,
    headers: &HeaderMap,
    operation: Option<&str>,
    body: &[u8],
) -> Response {
    let key = access_key_id(headers);
    if !headers.contains_key("x-amz-target") {
        return query::serve(state, key, operation, body);
    }
    match call(state, headers, operation.unwrap_or_default(), body).await {
        Ok(output) => respond(StatusCode::OK, output.to_string()),
        Err(exception) => exception.into_response(),
    }
}

async fn call(
    state: &State,
    headers: &HeaderMap,
    operation: &str,
    body: &[u8],
) -> Result<Value, Exception> {
    let key = access_key_id(headers);
    check(state, key)?;
    let input = parse(body)?;
    check_registry(state, key, operation, &input)?;
    let caller = caller(state, key, headers);
    dispatch(state, caller, operation, input).await
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

/// The sandbox has one account's registry. Into that of another, ECR lets nobody whom its policy
/// does not name.
fn check_registry(
    state: &State,
    key: Option<&str>,
    operation: &str,
    input: &Value,
) -> Result<(), Exception> {
    let Options {
        account_id, region, ..
    } = &state.options;
    match input["registryId"].as_str() {
        Some(other) if other != account_id => {
            let caller = sts::caller(state, key);
            let name = input["repositoryName"].as_str().unwrap_or("*");
            let message = format!(
                "User: {caller} is not authorized to perform: ecr:{operation} on resource: \
                 arn:aws:ecr:{region}:{other}:repository/{name} because no resource-based policy \
                 allows the ecr:{operation} action"
            );
            Err(Exception::new("AccessDeniedException", message))
        }
        _ => Ok(()),
    }
}

/// Whether an access key id may come in. Signatures are not checked.
pub(super) fn is_known(state: &State, key: Option<&str>) -> bool {
    match (&state.options.access_key_id, key) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(known), Some(key)) => known == key || state.tokens.arn(key).is_some(),
    }
}

/// Who calls, and which region is asked.
fn caller(state: &State, key: Option<&str>, headers: &HeaderMap) -> EcrToken {
    EcrToken {
        account_id: sts::caller_account(state, key),
        region: scope(headers, 2)
            .unwrap_or(&state.options.region)
            .to_owned(),
    }
}

/// The access key id of a signed request.
fn access_key_id(headers: &HeaderMap) -> Option<&str> {
    scope(headers, 0)
}

/// A part of `Authorization: AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/ecr/aws4_request, ...`.
fn scope(headers: &HeaderMap, part: usize) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (_, credential) = value.split_once("Credential=")?;
    credential.split('/').nth(part)
}
