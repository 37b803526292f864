//! `destination`: the ECR registry that images go to.

use super::check::Checker;
use super::mistakes::Located;
use super::shapes::{is_account, is_region, is_role_arn};
use super::specification::EcrDestination;
use super::upstreams::{endpoint, refuse_plain_http};
use super::written;
use crate::image::Repository;

/// The destination, and the prefix of every repository in it. An empty text counts as absent, so
/// that Terraform variables may be empty.
pub(super) fn check(
    written: written::Destination,
    checker: &mut Checker<'_>,
) -> (EcrDestination, Option<Repository>) {
    let region = given(written.region)
        .and_then(|text| checker.shaped(text, is_region, "an AWS region", "eu-west-1"));
    let account_id = given(written.account_id)
        .and_then(|text| checker.shaped(text, is_account, "an AWS account", "123456789012"));
    let role_arn = given(written.role_arn).and_then(|text| role_arn(text, checker));
    let registry = given(written.registry).and_then(|text| {
        let endpoint = endpoint(&text, false, checker)?;
        let hint = "only a registry on loopback is spoken to in plain HTTP; write `https://`";
        refuse_plain_http(&endpoint, false, &text.place, hint, checker);
        Some(endpoint)
    });
    let namespace = given(written.namespace).and_then(|text| checker.parse(&text));
    let destination = EcrDestination {
        region,
        account_id,
        profile: given(written.profile).map(|text| text.value),
        role_arn,
        registry,
    };
    (destination, namespace)
}

/// The ARN of a role.
pub(super) fn role_arn(text: Located<String>, checker: &mut Checker<'_>) -> Option<String> {
    let example = "arn:aws:iam::123456789012:role/name";
    checker.shaped(text, is_role_arn, "the ARN of a role", example)
}

/// A text that is not empty.
pub(super) fn given(text: Option<Located<String>>) -> Option<Located<String>> {
    text.filter(|text| !text.value.trim().is_empty())
}
