//! The OCI distribution protocol: a thin client that prints nothing.

mod answer;
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
mod outflow;
mod pace;
mod politeness;
mod pulse;
mod rate_limit;
mod referrers;
mod request;
mod retry;
mod session;
mod tags;
mod token;
mod tokens;
mod transport;
mod upload;
mod window;

pub use answer::Answer;
pub use client::{Client, Options};
pub use download::BlobStream;
pub use endpoint::{Endpoint, ParseEndpointError};
pub use error::{Cause, Error};
pub use login::{Credentials, CredentialsError, Login};
pub use manifests::ManifestHead;
pub use politeness::{OnPause, Politeness, Transfer};
pub use rate_limit::RateLimit;
pub use upload::Uploaded;
