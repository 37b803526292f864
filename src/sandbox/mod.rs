//! A stand-in for ECR on loopback: the AWS API, the registry, its blob storage and, on request, an
//! upstream registry, all in one process.
//!
//! It is a test double: it speaks ECR's dialect of the OCI distribution protocol, quirks included,
//! but it checks no signature, enforces no IAM policy and keeps nothing safe. It serves a first try
//! (`longshore sandbox`) and tests. It shares only [`crate::image`] with the rest of the crate, so
//! that it cannot share its bugs.

mod api;
mod blobs;
mod content;
mod fault;
mod fresh;
pub mod layout;
mod log;
mod options;
mod page;
mod parameters;
mod pull_through;
mod registry;
mod repository;
mod resource_tag;
mod route;
mod scanning;
mod secrets;
mod server;
mod state;
mod storage;
mod store;
#[cfg(test)]
mod tests;
mod tokens;
mod traffic;
mod upstream;

pub use fault::{Effect, Fault};
pub use log::{Request, Server};
pub use options::{EcrToken, Login, Options, Ports, PullLimit, Upstream};
pub use server::{Sandbox, StartError};
