//! Lifecycle policies and repository policies: kept and given back, never enforced.

use serde::Deserialize;
use serde_json::{Value, json};

use super::exception::Exception;
use super::repositories::{Named, find, find_mut};
use crate::sandbox::state::State;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Lifecycle {
    repository_name: String,
    lifecycle_policy_text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Policy {
    repository_name: String,
    policy_text: String,
}

/// `PutLifecyclePolicy`.
pub(super) fn put_lifecycle(state: &State, input: Lifecycle) -> Result<Value, Exception> {
    check_lifecycle(&input.lifecycle_policy_text)?;
    let name = &input.repository_name;
    state.store.change(|inventory| {
        let repository = find_mut(state, inventory, name)?;
        let text = input.lifecycle_policy_text;
        let output = lifecycle(state, name, &text);
        repository.lifecycle_policy = Some(text);
        Ok(output)
    })
}

/// `GetLifecyclePolicy`.
pub(super) fn get_lifecycle(state: &State, input: &Named) -> Result<Value, Exception> {
    let name = &input.repository_name;
    let inventory = state.store.read();
    match &find(state, &inventory, name)?.lifecycle_policy {
        Some(text) => Ok(lifecycle(state, name, text)),
        None => Err(no_lifecycle(state, name)),
    }
}

/// `DeleteLifecyclePolicy`.
pub(super) fn delete_lifecycle(state: &State, input: &Named) -> Result<Value, Exception> {
    let name = &input.repository_name;
    state.store.change(|inventory| {
        let old = find_mut(state, inventory, name)?.lifecycle_policy.take();
        let old = old.ok_or_else(|| no_lifecycle(state, name))?;
        Ok(lifecycle(state, name, &old))
    })
}

/// `SetRepositoryPolicy`.
pub(super) fn set(state: &State, input: Policy) -> Result<Value, Exception> {
    check_policy(&input.policy_text)?;
    let name = &input.repository_name;
    state.store.change(|inventory| {
        let repository = find_mut(state, inventory, name)?;
        let output = policy(state, name, &input.policy_text);
        repository.policy = Some(input.policy_text);
        Ok(output)
    })
}

/// `GetRepositoryPolicy`.
pub(super) fn get(state: &State, input: &Named) -> Result<Value, Exception> {
    let name = &input.repository_name;
    let inventory = state.store.read();
    match &find(state, &inventory, name)?.policy {
        Some(text) => Ok(policy(state, name, text)),
        None => Err(no_policy(state, name)),
    }
}

/// `DeleteRepositoryPolicy`.
pub(super) fn delete(state: &State, input: &Named) -> Result<Value, Exception> {
    let name = &input.repository_name;
    state.store.change(|inventory| {
        let old = find_mut(state, inventory, name)?.policy.take();
        let old = old.ok_or_else(|| no_policy(state, name))?;
        Ok(policy(state, name, &old))
    })
}

/// A lifecycle policy, as far as it is looked at.
pub(super) fn check_lifecycle(text: &str) -> Result<(), Exception> {
    let wrong = match list(text, "rules").as_deref() {
        None => "rules are missing",
        Some([]) => "array is too short: must have at least 1 elements but instance has 0 elements",
        Some(_) => return Ok(()),
    };
    let constraint = format!("Lifecycle policy validation failure: {wrong}");
    Err(Exception::invalid_parameter(
        "LifecyclePolicyText",
        &constraint,
    ))
}

/// A repository policy, as far as it is looked at.
pub(super) fn check_policy(text: &str) -> Result<(), Exception> {
    if list(text, "Statement").is_some() {
        return Ok(());
    }
    let constraint = "Invalid repository policy provided";
    Err(Exception::invalid_parameter("PolicyText", constraint))
}

fn no_lifecycle(state: &State, name: &str) -> Exception {
    missing("LifecyclePolicyNotFoundException", "Lifecycle", state, name)
}

fn no_policy(state: &State, name: &str) -> Exception {
    missing(
        "RepositoryPolicyNotFoundException",
        "Repository",
        state,
        name,
    )
}

fn list(text: &str, name: &str) -> Option<Vec<Value>> {
    let policy: Value = serde_json::from_str(text).ok()?;
    policy.get(name)?.as_array().cloned()
}

fn lifecycle(state: &State, name: &str, text: &str) -> Value {
    json!({
        "registryId": state.options.account_id,
        "repositoryName": name,
        "lifecyclePolicyText": text,
    })
}

fn policy(state: &State, name: &str, text: &str) -> Value {
    json!({
        "registryId": state.options.account_id,
        "repositoryName": name,
        "policyText": text,
    })
}

fn missing(exception: &'static str, what: &str, state: &State, name: &str) -> Exception {
    let message = format!(
        "{what} policy does not exist for the repository with name '{name}' in the registry with \
         id '{}'",
        state.options.account_id
    );
    Exception::new(exception, message)
}
