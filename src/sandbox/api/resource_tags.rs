//! Tags of repositories as resources of the account.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::exception::Exception;
use super::repositories::{find, find_mut};
use crate::sandbox::resource_tag::ResourceTag;
use crate::sandbox::state::State;

/// The most tags of a resource.
const MOST: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    resource_arn: String,
    #[serde(default)]
    tags: Vec<ResourceTag>,
    #[serde(default)]
    tag_keys: Vec<String>,
}

/// `TagResource`.
pub(super) fn tag(state: &State, input: Request) -> Result<Value, Exception> {
    let name = name_in(state, &input.resource_arn)?;
    state.store.change(|inventory| {
        let repository = find_mut(state, inventory, &name)?;
        add(&mut repository.resource_tags, input.tags)?;
        Ok(json!({}))
    })
}

/// `UntagResource`.
pub(super) fn untag(state: &State, input: &Request) -> Result<Value, Exception> {
    let name = name_in(state, &input.resource_arn)?;
    state.store.change(|inventory| {
        let tags = &mut find_mut(state, inventory, &name)?.resource_tags;
        tags.retain(|key, _| !input.tag_keys.contains(key));
        Ok(json!({}))
    })
}

/// `ListTagsForResource`.
pub(super) fn list(state: &State, input: &Request) -> Result<Value, Exception> {
    let name = name_in(state, &input.resource_arn)?;
    let inventory = state.store.read();
    let tags = &find(state, &inventory, &name)?.resource_tags;
    let tags: Vec<Value> = tags
        .iter()
        .map(|(key, value)| json!({"Key": key, "Value": value}))
        .collect();
    Ok(json!({"tags": tags}))
}

pub(super) fn add(
    to: &mut BTreeMap<String, String>,
    tags: Vec<ResourceTag>,
) -> Result<(), Exception> {
    let mut all = to.clone();
    all.extend(tags.into_iter().map(|tag| (tag.key, tag.value)));
    check_count(all.len())?;
    *to = all;
    Ok(())
}

pub(super) fn check_count(count: usize) -> Result<(), Exception> {
    if count <= MOST {
        return Ok(());
    }
    let message = format!("A resource can have at most {MOST} tags");
    Err(Exception::new("TooManyTagsException", message))
}

fn name_in(state: &State, arn: &str) -> Result<String, Exception> {
    let name = arn.strip_prefix(&state.arn("ecr", "repository/"));
    name.map(str::to_owned)
        .ok_or_else(|| Exception::invalid_parameter("resourceArn", "Invalid ARN"))
}
