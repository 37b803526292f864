//! Who we are at a registry, and who knows it.

use std::error::Error;
use std::fmt;

use async_trait::async_trait;
use secrecy::SecretString;

use crate::failure::{Failure, Kind};
use crate::image::Registry;

/// A user's name and password at one registry. `Debug` shows no secret.
#[derive(Clone, Debug)]
pub enum Login {
    /// A name and a password or access token.
    Password {
        /// The user's name; `AWS` on ECR.
        username: String,
        /// The password or access token.
        password: SecretString,
    },
    /// An OAuth2 refresh token, Docker's `identitytoken`.
    IdentityToken(SecretString),
}

/// Credentials could not be found out.
#[derive(Debug)]
pub struct CredentialsError {
    registry: Registry,
    cause: Box<dyn Failure>,
}

impl CredentialsError {
    /// For `map_err`: wraps any room's error with the registry.
    pub fn at<E: Failure>(registry: &Registry) -> impl FnOnce(E) -> Self {
        |cause| Self {
            registry: registry.clone(),
            cause: Box::new(cause),
        }
    }
}

impl fmt::Display for CredentialsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "cannot get credentials for `{}`", self.registry)
    }
}

impl Error for CredentialsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.cause)
    }
}

impl Failure for CredentialsError {
    fn kind(&self) -> Kind {
        self.cause.kind()
    }

    fn hint(&self) -> Option<String> {
        self.cause.hint()
    }
}

/// Knows who we are at a registry.
#[async_trait]
pub trait Credentials: Send + Sync {
    /// The login to use at this registry; `None` means anonymous. Asked again when a registry
    /// refuses what it got, so that an expired token is replaced.
    async fn login(&self, registry: &Registry) -> Result<Option<Login>, CredentialsError>;

    /// Says that the registry refused this login, before another one is asked for. Whoever keeps
    /// logins forgets it.
    async fn refused(&self, _registry: &Registry, _login: &Login) {}

    /// What the user can do where this registry refuses the login, or wants one: one lower-case
    /// sentence without a final period.
    fn remedy(&self, registry: &Registry) -> String {
        format!("check the credentials for `{registry}`")
    }
}
