//! Authorization tokens.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::sandbox::fresh;
use crate::sandbox::state::State;

/// Seconds that a token lasts.
const LIFETIME: f64 = 12.0 * 60.0 * 60.0;

/// `GetAuthorizationToken`.
pub(super) fn issue(state: &State) -> Value {
    let mut data = fresh_token(state);
    data["proxyEndpoint"] = json!(format!("http://{}", state.addresses.registry));
    json!({"authorizationData": [data]})
}

/// ECR Public's `GetAuthorizationToken`.
pub(super) fn issue_public(state: &State) -> Value {
    json!({"authorizationData": fresh_token(state)})
}

fn fresh_token(state: &State) -> Value {
    let password = state.tokens.issue_password();
    json!({
        "authorizationToken": STANDARD.encode(format!("AWS:{password}")),
        "expiresAt": fresh::now() + LIFETIME,
    })
}
