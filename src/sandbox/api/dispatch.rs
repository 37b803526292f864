//! The operations of ECR, Secrets Manager and SSM by name.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::exception::Exception;
use super::{
    images, layers, parameters, policies, pulls, repositories, resource_tags, rules, scanning,
    secrets, settings, templates, token,
};
use crate::sandbox::options::EcrToken;
use crate::sandbox::state::State;

/// Calls an operation with its input. Only ECR's stand here without their service. A token is
/// issued for the caller.
pub(super) async fn dispatch(
    state: &State,
    caller: EcrToken,
    operation: &str,
    input: Value,
) -> Result<Value, Exception> {
    if let Some(operation) = operation.strip_prefix("secretsmanager.") {
        return secrets_manager(state, operation, input);
    }
    match operation {
        "GetAuthorizationToken" => Ok(token::issue(state, caller)),
        // ECR Public's, whose one token opens the one registry here, too.
        "SpencerFrontendService.GetAuthorizationToken" => Ok(token::issue_public(state, caller)),
        "DescribeRepositories" => repositories::describe(state, read(input)?),
        "CreateRepository" => repositories::create(state, read(input)?),
        "DeleteRepository" => repositories::delete(state, &read(input)?),
        "PutImageTagMutability" => repositories::set_mutability(state, read(input)?),
        "PutImageScanningConfiguration" => scanning::set(state, read(input)?),
        "GetRegistryScanningConfiguration" => Ok(scanning::get_registry(state)),
        "PutRegistryScanningConfiguration" => scanning::put_registry(state, read(input)?),
        "TagResource" => resource_tags::tag(state, read(input)?),
        "UntagResource" => resource_tags::untag(state, &read(input)?),
        "ListTagsForResource" => resource_tags::list(state, &read(input)?),
        "PutLifecyclePolicy" => policies::put_lifecycle(state, read(input)?),
        "GetLifecyclePolicy" => policies::get_lifecycle(state, &read(input)?),
        "DeleteLifecyclePolicy" => policies::delete_lifecycle(state, &read(input)?),
        "SetRepositoryPolicy" => policies::set(state, read(input)?),
        "GetRepositoryPolicy" => policies::get(state, &read(input)?),
        "DeleteRepositoryPolicy" => policies::delete(state, &read(input)?),
        "ListImages" => images::list(state, &read(input)?),
        "DescribeImages" => images::describe(state, &read(input)?),
        "BatchGetImage" => pulls::get(state, &read(input)?).await,
        "BatchDeleteImage" => images::delete(state, &read(input)?),
        "BatchCheckLayerAvailability" => layers::check(state, &read(input)?),
        "GetAccountSetting" => settings::get(state, &read(input)?),
        "PutAccountSetting" => settings::put(state, &read(input)?),
        "CreatePullThroughCacheRule" => rules::create(state, read(input)?),
        "DescribePullThroughCacheRules" => rules::describe(state, read(input)?),
        "UpdatePullThroughCacheRule" => rules::update(state, read(input)?),
        "DeletePullThroughCacheRule" => rules::delete(state, &read(input)?),
        "ValidatePullThroughCacheRule" => rules::validate(state, &read(input)?).await,
        "CreateRepositoryCreationTemplate" => templates::create(state, read(input)?),
        "DescribeRepositoryCreationTemplates" => templates::describe(state, read(input)?),
        "UpdateRepositoryCreationTemplate" => templates::update(state, read(input)?),
        "DeleteRepositoryCreationTemplate" => templates::delete(state, &read(input)?),
        "AmazonSSM.GetParameter" => parameters::get(state, &read(input)?),
        "AmazonSSM.PutParameter" => parameters::put(state, read(input)?),
        other => Err(unknown(other)),
    }
}

fn secrets_manager(state: &State, operation: &str, input: Value) -> Result<Value, Exception> {
    match operation {
        "CreateSecret" => secrets::create(state, read(input)?),
        "DescribeSecret" => secrets::describe(state, &read(input)?),
        "GetSecretValue" => secrets::get_value(state, &read(input)?),
        "PutSecretValue" => secrets::put_value(state, read(input)?),
        "UpdateSecret" => secrets::update(state, read(input)?),
        "DeleteSecret" => secrets::delete(state, &read(input)?),
        "RestoreSecret" => secrets::restore(state, &read(input)?),
        "GetResourcePolicy" => secrets::get_policy(state, &read(input)?),
        "TagResource" => secrets::tag(state, read(input)?),
        "UntagResource" => secrets::untag(state, &read(input)?),
        other => Err(unknown(other)),
    }
}

fn unknown(operation: &str) -> Exception {
    Exception::new(
        "UnknownOperationException",
        format!("The sandbox does not know the operation `{operation}`"),
    )
}

fn read<T: DeserializeOwned>(input: Value) -> Result<T, Exception> {
    serde_json::from_value(input)
        .map_err(|error| Exception::new("SerializationException", error.to_string()))
}
