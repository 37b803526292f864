//! SSM's parameters, as far as longshore needs them.

use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::exception::Exception;
use crate::sandbox::fresh;
use crate::sandbox::parameters::Parameter;
use crate::sandbox::state::State;

const SECURE: &str = "SecureString";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Get {
    name: String,
    #[serde(default)]
    with_decryption: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Put {
    name: String,
    value: String,
    #[serde(rename = "Type")]
    kind: Option<String>,
    #[serde(default)]
    overwrite: bool,
}

/// `GetParameter` by name or ARN. Without decryption a secure one is not readable.
pub(super) fn get(state: &State, input: &Get) -> Result<Value, Exception> {
    let parameters = state.parameters.lock();
    let prefix = state.arn("ssm", "parameter");
    let found = parameters.iter().find(|(name, _)| {
        let path = input.name.strip_prefix(&prefix).unwrap_or(&input.name);
        *name == path || name.strip_prefix('/') == Some(path)
    });
    let Some((name, parameter)) = found else {
        return Err(Exception::new("ParameterNotFound", ""));
    };
    let value = match parameter.kind.as_str() {
        SECURE if !input.with_decryption => "ENCRYPTED",
        _ => parameter.value.expose_secret(),
    };
    let slash = if name.starts_with('/') { "" } else { "/" };
    Ok(json!({"Parameter": {
        "Name": name,
        "Type": parameter.kind,
        "Value": value,
        "Version": parameter.version,
        "LastModifiedDate": parameter.changed_at,
        "ARN": format!("{prefix}{slash}{name}"),
        "DataType": "text",
    }}))
}

/// `PutParameter`.
pub(super) fn put(state: &State, input: Put) -> Result<Value, Exception> {
    let mut parameters = state.parameters.lock();
    let old = parameters.get(&input.name);
    if old.is_some() && !input.overwrite {
        return Err(Exception::new(
            "ParameterAlreadyExists",
            "The parameter already exists. To overwrite this value, set the overwrite option in \
             the request to true.",
        ));
    }
    let version = old.map_or(1, |old| old.version + 1);
    let kind = input.kind.or(old.map(|old| old.kind.clone()));
    let kind = kind.unwrap_or_else(|| "String".to_owned());
    if !["String", "StringList", SECURE].contains(&kind.as_str()) {
        let message = "Member must satisfy enum value set: [SecureString, StringList, String]";
        return Err(Exception::new("ValidationException", message));
    }
    let parameter = Parameter {
        kind,
        value: input.value.into(),
        version,
        changed_at: fresh::now(),
    };
    parameters.insert(input.name, parameter);
    Ok(json!({"Version": version, "Tier": "Standard"}))
}
