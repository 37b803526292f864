//! Secrets Manager, as far as ECR's rules and longshore need it.

use std::collections::BTreeMap;

use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::exception::Exception;
use crate::sandbox::fresh;
use crate::sandbox::resource_tag::ResourceTag;
use crate::sandbox::secrets::{Secret, Version, name_of};
use crate::sandbox::state::State;

const CURRENT: &str = "AWSCURRENT";
const DAY: f64 = 24.0 * 60.0 * 60.0;
/// The days until a deleted secret is gone where the caller says no other.
const RECOVERY_DAYS: u32 = 30;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Create {
    name: String,
    client_request_token: Option<String>,
    description: Option<String>,
    kms_key_id: Option<String>,
    secret_string: Option<String>,
    #[serde(default)]
    tags: Vec<ResourceTag>,
}

/// A request about one secret.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    secret_id: String,
    client_request_token: Option<String>,
    description: Option<String>,
    kms_key_id: Option<String>,
    secret_string: Option<String>,
    version_id: Option<String>,
    version_stage: Option<String>,
    recovery_window_in_days: Option<u32>,
    #[serde(default)]
    force_delete_without_recovery: bool,
    #[serde(default)]
    tags: Vec<ResourceTag>,
    #[serde(default)]
    tag_keys: Vec<String>,
}

type Secrets = BTreeMap<String, Secret>;

/// `CreateSecret`.
pub(super) fn create(state: &State, input: Create) -> Result<Value, Exception> {
    let name = input.name;
    let plain = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c);
    if name.is_empty() || name.len() > 512 || !name.chars().all(plain) {
        let message = "Invalid name. Must be a valid name containing alphanumeric characters, or \
                       any of the following: -/_+=.@!";
        return Err(Exception::new("ValidationException", message));
    }
    let mut secrets = state.secrets.lock();
    if let Some(secret) = secrets.get(&name) {
        return Err(match secret.deleted_at {
            None => Exception::new(
                "ResourceExistsException",
                format!("The operation failed because the secret {name} already exists."),
            ),
            Some(_) => Exception::new(
                "InvalidRequestException",
                "You can't create this secret because a secret with this name is already \
                 scheduled for deletion.",
            ),
        });
    }
    let now = fresh::now();
    let end = &fresh::identifier()[..6];
    let value = input.secret_string;
    let secret = Secret {
        arn: state.arn("secretsmanager", &format!("secret:{name}-{end}")),
        description: input.description,
        kms_key_id: input.kms_key_id,
        tags: to_map(input.tags),
        created_at: now,
        changed_at: now,
        deleted_at: None,
        value: value.map(|text| Version::new(input.client_request_token, text)),
    };
    let output = named(&name, &secret);
    secrets.insert(name, secret);
    Ok(output)
}

/// `DescribeSecret`.
pub(super) fn describe(state: &State, input: &Request) -> Result<Value, Exception> {
    let mut secrets = state.secrets.lock();
    let (name, secret) = find(&mut secrets, &input.secret_id)?;
    let tags: Vec<Value> = secret
        .tags
        .iter()
        .map(|(key, value)| json!({"Key": key, "Value": value}))
        .collect();
    let stages = secret
        .value
        .as_ref()
        .map(|value| json!({value.id.as_str(): [CURRENT]}));
    Ok(json!({
        "ARN": secret.arn,
        "Name": name,
        "Description": secret.description,
        "KmsKeyId": secret.kms_key_id,
        "CreatedDate": secret.created_at,
        "LastChangedDate": secret.changed_at,
        "DeletedDate": secret.deleted_at,
        "Tags": tags,
        "VersionIdsToStages": stages,
    }))
}

/// `GetSecretValue`.
pub(super) fn get_value(state: &State, input: &Request) -> Result<Value, Exception> {
    let mut secrets = state.secrets.lock();
    let (name, secret) = find_usable(&mut secrets, &input.secret_id)?;
    let label = input.version_stage.as_deref().unwrap_or(CURRENT);
    let wanted = |value: &&Version| {
        let id = input.version_id.as_ref();
        label == CURRENT && id.is_none_or(|id| *id == value.id)
    };
    let value = secret.value.as_ref().filter(wanted).ok_or_else(|| {
        let message = format!(
            "Secrets Manager can't find the specified secret value for staging label: {label}"
        );
        Exception::new("ResourceNotFoundException", message)
    })?;
    Ok(json!({
        "ARN": secret.arn,
        "Name": name,
        "VersionId": value.id,
        "SecretString": value.text.expose_secret(),
        "VersionStages": [CURRENT],
        "CreatedDate": value.created_at,
    }))
}

/// `PutSecretValue`.
pub(super) fn put_value(state: &State, input: Request) -> Result<Value, Exception> {
    let mut secrets = state.secrets.lock();
    let (name, secret) = find_usable(&mut secrets, &input.secret_id)?;
    let Some(text) = input.secret_string else {
        let message = "You must provide either SecretString or SecretBinary.";
        return Err(Exception::new("InvalidRequestException", message));
    };
    secret.value = Some(Version::new(input.client_request_token, text));
    secret.changed_at = fresh::now();
    let mut output = named(&name, secret);
    output["VersionStages"] = json!([CURRENT]);
    Ok(output)
}

/// `UpdateSecret`: its description, its key and its value.
pub(super) fn update(state: &State, input: Request) -> Result<Value, Exception> {
    let mut secrets = state.secrets.lock();
    let (name, secret) = find_usable(&mut secrets, &input.secret_id)?;
    if input.description.is_some() {
        secret.description = input.description;
    }
    if input.kms_key_id.is_some() {
        secret.kms_key_id = input.kms_key_id;
    }
    if let Some(text) = input.secret_string {
        secret.value = Some(Version::new(input.client_request_token, text));
    }
    secret.changed_at = fresh::now();
    Ok(named(&name, secret))
}

/// `DeleteSecret`: at once, or marked and gone later, until when its name is taken.
pub(super) fn delete(state: &State, input: &Request) -> Result<Value, Exception> {
    let days = input.recovery_window_in_days;
    let force = input.force_delete_without_recovery;
    if days.is_some_and(|days| force || !(7..=30).contains(&days)) {
        let message = "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive), \
                       and cannot be used with ForceDeleteWithoutRecovery.";
        return Err(Exception::new("InvalidParameterException", message));
    }
    let mut secrets = state.secrets.lock();
    let (name, secret) = find_usable(&mut secrets, &input.secret_id)?;
    let wait = f64::from(days.unwrap_or(RECOVERY_DAYS)) * DAY;
    let end = fresh::now() + if force { 0.0 } else { wait };
    secret.deleted_at = Some(end);
    let output = json!({"ARN": secret.arn, "Name": name, "DeletionDate": end});
    if force {
        secrets.remove(&name);
    }
    Ok(output)
}

/// `RestoreSecret`.
pub(super) fn restore(state: &State, input: &Request) -> Result<Value, Exception> {
    let mut secrets = state.secrets.lock();
    let (name, secret) = find(&mut secrets, &input.secret_id)?;
    secret.deleted_at = None;
    Ok(json!({"ARN": secret.arn, "Name": name}))
}

/// `GetResourcePolicy`, which Terraform asks for; there is never one.
pub(super) fn get_policy(state: &State, input: &Request) -> Result<Value, Exception> {
    let mut secrets = state.secrets.lock();
    let (name, secret) = find(&mut secrets, &input.secret_id)?;
    Ok(json!({"ARN": secret.arn, "Name": name}))
}

/// `TagResource`.
pub(super) fn tag(state: &State, input: Request) -> Result<Value, Exception> {
    let mut secrets = state.secrets.lock();
    let (_, secret) = find_usable(&mut secrets, &input.secret_id)?;
    secret.tags.extend(to_map(input.tags));
    Ok(json!({}))
}

/// `UntagResource`.
pub(super) fn untag(state: &State, input: &Request) -> Result<Value, Exception> {
    let mut secrets = state.secrets.lock();
    let (_, secret) = find_usable(&mut secrets, &input.secret_id)?;
    secret.tags.retain(|key, _| !input.tag_keys.contains(key));
    Ok(json!({}))
}

fn find<'a>(secrets: &'a mut Secrets, id: &str) -> Result<(String, &'a mut Secret), Exception> {
    let found = name_of(secrets, id).and_then(|name| Some((name.clone(), secrets.get_mut(&name)?)));
    found.ok_or_else(|| {
        let message = "Secrets Manager can't find the specified secret.";
        Exception::new("ResourceNotFoundException", message)
    })
}

fn find_usable<'a>(
    secrets: &'a mut Secrets,
    id: &str,
) -> Result<(String, &'a mut Secret), Exception> {
    let (name, secret) = find(secrets, id)?;
    if secret.deleted_at.is_none() {
        return Ok((name, secret));
    }
    let message = "You can't perform this operation on the secret because it was marked for \
                   deletion.";
    Err(Exception::new("InvalidRequestException", message))
}

fn named(name: &str, secret: &Secret) -> Value {
    let version = secret.value.as_ref().map(|value| &value.id);
    json!({"ARN": secret.arn, "Name": name, "VersionId": version})
}

fn to_map(tags: Vec<ResourceTag>) -> BTreeMap<String, String> {
    tags.into_iter().map(|tag| (tag.key, tag.value)).collect()
}
