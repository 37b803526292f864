//! ECR's pull-through cache: rules, repository creation templates, and pulls that fetch what is not
//! there yet from the rule's upstream registry.

mod client;
mod failure;
mod import;
mod kind;
mod login;
mod prefix;
mod rule;
mod template;

pub(super) use client::reach;
pub(super) use failure::Failure;
pub(super) use import::{Imports, import};
pub(super) use kind::Kind;
pub(super) use prefix::is_prefix;
pub(super) use rule::Rule;
pub(super) use template::{Purpose, Template};
