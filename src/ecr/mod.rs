//! Amazon ECR's API: tokens, repositories, images.

mod settings;

pub use settings::{Encryption, RepositorySettings, TagMutability};
