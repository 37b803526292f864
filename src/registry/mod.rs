//! The OCI distribution protocol: a thin client that prints nothing.

mod answer;
mod authorization;
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
mod network_error;
mod proxy;
mod request;
mod retry;
mod scheme;
mod session;
mod token;
mod tokens;
mod transport;
mod trial;

use answer::Answer;
use authorization::Authorization;
pub use client::{Client, Options};
pub use endpoint::{Endpoint, ParseEndpointError};
use error::Cause;
pub use error::Error;
pub use login::{Credentials, CredentialsError, Login};
pub use manifests::ManifestHead;
use network_error::NetworkError;
