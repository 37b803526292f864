//! The AWS API: ECR in the JSON 1.1 protocol and STS in the query protocol, on one port.

mod dispatch;
mod exception;
mod images;
mod layers;
mod policies;
mod repositories;
mod serve;
mod settings;
mod sts;
mod token;

pub(super) use serve::{operation, serve};
