//! The OCI distribution protocol: a thin client that prints nothing.

mod answer;
mod blobs;
mod challenge;
mod client;
mod endpoint;
mod error;
#[cfg(test)]
mod fake;
mod hint;
mod login;
mod manifests;
mod request;
mod retry;
mod session;
mod token;
mod tokens;
mod transport;

pub use answer::Answer;
pub use client::{Client, Options};
pub use endpoint::{Endpoint, ParseEndpointError};
pub use error::{Cause, Error};
pub use login::{Credentials, CredentialsError, Login};
pub use manifests::ManifestHead;
