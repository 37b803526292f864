//! Amazon ECR's API: tokens, repositories, images.

mod account;
mod client;
mod creation;
mod error;
mod host;
mod images;
mod inventory;
mod layers;
mod limits;
mod manifests;
mod policies;
mod public;
mod repositories;
mod sdk_types;
mod settings;
#[cfg(test)]
mod stand_in;
mod token;
mod token_cache;

pub use client::Ecr;
pub use creation::Creation;
pub use error::Error;
pub use host::EcrHost;
pub use images::TagKept;
pub use inventory::Inventory;
pub use public::PublicEcr;
pub use repositories::RepositoryDescription;
pub use settings::{Encryption, RepositorySettings, TagMutability};
pub use token::Token;
