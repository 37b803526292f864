//! The operations of ECR by name.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::exception::Exception;
use super::{images, layers, policies, repositories, settings, token};
use crate::sandbox::state::State;

/// Calls an operation with its input.
pub(super) fn dispatch(state: &State, operation: &str, input: Value) -> Result<Value, Exception> {
    match operation {
        "GetAuthorizationToken" => Ok(token::issue(state)),
        // ECR Public's, whose one token opens the one registry here, too.
        "SpencerFrontendService.GetAuthorizationToken" => Ok(token::issue_public(state)),
        "DescribeRepositories" => repositories::describe(state, read(input)?),
        "CreateRepository" => repositories::create(state, read(input)?),
        "DeleteRepository" => repositories::delete(state, &read(input)?),
        "PutImageTagMutability" => repositories::set_mutability(state, read(input)?),
        "TagResource" => repositories::tag(state, read(input)?),
        "ListTagsForResource" => repositories::list_tags(state, &read(input)?),
        "PutLifecyclePolicy" => policies::put_lifecycle(state, read(input)?),
        "GetLifecyclePolicy" => policies::get_lifecycle(state, &read(input)?),
        "SetRepositoryPolicy" => policies::set(state, read(input)?),
        "GetRepositoryPolicy" => policies::get(state, &read(input)?),
        "ListImages" => images::list(state, &read(input)?),
        "DescribeImages" => images::describe(state, &read(input)?),
        "BatchGetImage" => images::get(state, &read(input)?),
        "BatchDeleteImage" => images::delete(state, &read(input)?),
        "BatchCheckLayerAvailability" => layers::check(state, &read(input)?),
        "GetAccountSetting" => settings::get(state, &read(input)?),
        "PutAccountSetting" => settings::put(state, &read(input)?),
        other => Err(Exception::new(
            "UnknownOperationException",
            format!("The sandbox does not know the operation `{other}`"),
        )),
    }
}

fn read<T: DeserializeOwned>(input: Value) -> Result<T, Exception> {
    serde_json::from_value(input)
        .map_err(|error| Exception::new("SerializationException", error.to_string()))
}
