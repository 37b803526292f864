//! Settings of the account.

use std::sync::atomic::Ordering;

use serde::Deserialize;
use serde_json::{Value, json};

use super::exception::Exception;
use crate::sandbox::state::State;

const BLOB_MOUNTING: &str = "BLOB_MOUNTING";

#[derive(Deserialize)]
pub(super) struct Setting {
    name: String,
    #[serde(default)]
    value: String,
}

/// `GetAccountSetting`.
pub(super) fn get(state: &State, input: &Setting) -> Result<Value, Exception> {
    require(&input.name)?;
    let enabled = state.blob_mounting.load(Ordering::Relaxed);
    let value = if enabled { "ENABLED" } else { "DISABLED" };
    Ok(json!({"name": input.name, "value": value}))
}

/// `PutAccountSetting`.
pub(super) fn put(state: &State, input: &Setting) -> Result<Value, Exception> {
    require(&input.name)?;
    let enabled = match input.value.as_str() {
        "ENABLED" => true,
        "DISABLED" => false,
        _ => return Err(Exception::invalid_parameter("value", "Invalid value")),
    };
    state.blob_mounting.store(enabled, Ordering::Relaxed);
    Ok(json!({"name": input.name, "value": input.value}))
}

fn require(name: &str) -> Result<(), Exception> {
    match name {
        BLOB_MOUNTING => Ok(()),
        _ => Err(Exception::invalid_parameter("name", "Invalid setting name")),
    }
}
