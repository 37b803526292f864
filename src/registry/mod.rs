//! The OCI distribution protocol: a thin client that prints nothing.

mod answer;
mod authorization;
mod blobs;
mod challenge;
mod client;
mod download;
mod endpoint;
mod error;
#[cfg(test)]
mod fake;
mod hint;
mod link;
mod login;
mod manifests;
mod network_error;
mod outflow;
mod pace;
mod politeness;
mod proxy;
mod pulse;
mod rate_limit;
mod request;
mod retry;
mod scheme;
mod session;
mod tags;
mod token;
mod tokens;
mod transport;
mod trial;
mod upload;
mod window;

use answer::Answer;
use authorization::Authorization;
pub use client::{Client, Options};
pub use download::BlobStream;
pub use endpoint::{Endpoint, ParseEndpointError};
use error::Cause;
pub use error::Error;
pub use login::{Credentials, CredentialsError, Login};
pub use manifests::ManifestHead;
use network_error::NetworkError;
pub use politeness::{OnPause, Politeness, Transfer};
pub use rate_limit::RateLimit;
pub use upload::Uploaded;
