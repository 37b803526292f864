//! The AWS API: ECR, Secrets Manager and SSM in the JSON 1.1 protocol, STS and IAM in the query
//! protocol, on one port.

mod dispatch;
mod exception;
mod iam;
mod images;
mod layers;
mod page;
mod parameters;
mod policies;
mod pulls;
mod query;
mod repositories;
mod resource_tags;
mod rules;
mod scanning;
mod secrets;
mod serve;
mod settings;
mod sts;
mod templates;
mod token;

pub(super) use serve::{operation, serve};
