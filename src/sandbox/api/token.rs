//! Authorization tokens.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::sandbox::fresh;
use crate::sandbox::options::EcrToken;
use crate::sandbox::state::State;

/// Seconds that a token lasts.
const LIFETIME: f64 = 12.0 * 60.0 * 60.0;

/// `GetAuthorizationToken`.
pub(super) fn issue(state: &State, token: EcrToken) -> Value {
    let mut data = fresh_token(state, token);
    data["proxyEndpoint"] = json!(format!("http://{}", state.addresses.registry));
    json!({"authorizationData": [data]})
}

/// ECR Public's `GetAuthorizationToken`.
pub(super) fn issue_public(state: &State, token: EcrToken) -> Value {
    json!({"authorizationData": fresh_token(state, token)})
}

fn fresh_token(state: &State, token: EcrToken) -> Value {
    let password = state.tokens.issue_password(token);
    json!({
        "authorizationToken": STANDARD.encode(format!("AWS:{password}")),
        "expiresAt": fresh::now() + LIFETIME,
    })
}
