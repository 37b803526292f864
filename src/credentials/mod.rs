//! Who we are at a registry: the file, AWS, Docker's configuration; precedence lives here alone.

mod config_file;
mod docker_config;
mod ecr_tokens;
mod error;
mod helper;
mod keyring;
mod secret_store;
mod who;

pub use docker_config::DockerConfig;
pub use ecr_tokens::{Caller, EcrTokens, Scope};
pub use error::Error;
pub use keyring::Keyring;
pub use secret_store::SecretStore;
pub use who::{Origin, Who};
