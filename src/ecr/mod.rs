//! Amazon ECR's API: tokens, repositories, images.

mod client;
mod credentials;
mod error;
mod host;
mod images;
mod layers;
mod limits;
mod repositories;
mod settings;
#[cfg(test)]
mod stand_in;
mod tags;
mod token;
mod token_cache;

pub use client::Ecr;
pub use credentials::EcrCredentials;
pub use error::Error;
pub use host::EcrHost;
pub use images::TagKept;
pub use repositories::{Creation, RepositoryDescription};
pub use settings::{Encryption, RepositorySettings, TagMutability};
pub use token::Token;
