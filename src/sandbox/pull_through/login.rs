//! The login of a rule at its upstream.

use serde::Deserialize;

use super::{Failure, Rule};
use crate::sandbox::options::Login;
use crate::sandbox::state::State;

/// What ECR expects in a secret.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credentials {
    username: String,
    access_token: String,
}

/// The login in the secret that a rule names; `None` where it names none.
pub(super) fn login(state: &State, rule: &Rule) -> Result<Option<Login>, Failure> {
    let Some(arn) = &rule.credential_arn else {
        return Ok(None);
    };
    let value = state.secrets.value(arn).ok_or(Failure::AccessDenied)?;
    let credentials: Credentials =
        serde_json::from_str(&value).map_err(|_| Failure::AccessDenied)?;
    Ok(Some(Login::new(
        &credentials.username,
        &credentials.access_token,
    )))
}
