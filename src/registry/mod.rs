//! The OCI distribution protocol: a thin client that prints nothing.

mod endpoint;
mod login;

pub use endpoint::{Endpoint, ParseEndpointError};
pub use login::{Credentials, CredentialsError, Login};
