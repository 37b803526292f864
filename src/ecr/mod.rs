//! Amazon ECR's API: tokens, repositories, images, the pull-through cache.

mod account;
mod cache_upstream;
mod change;
mod client;
mod creation;
mod difference;
mod error;
mod host;
mod images;
mod inventory;
mod layers;
mod limits;
mod manifests;
mod policies;
mod policy_text;
mod public;
mod pulls;
mod repositories;
mod rules;
mod scanning;
mod sdk_types;
mod settings;
#[cfg(test)]
mod stand_in;
mod templates;
mod token;
mod token_cache;

pub use cache_upstream::{CacheUpstream, UnknownUpstream, UpstreamAccess, UpstreamKind};
pub use client::Ecr;
pub use creation::Creation;
pub use difference::{Deviation, Difference};
pub use error::Error;
pub use host::EcrHost;
pub use images::ImageKept;
pub use inventory::Inventory;
pub use policy_text::is_same_policy;
pub use public::PublicEcr;
pub use pulls::{ImageId, Pulled};
pub use repositories::RepositoryDescription;
pub use rules::{PullThroughRule, ROOT, RuleValidation};
pub use scanning::{RegistryScanning, ScanFrequency, ScanningRule};
pub use settings::{Encryption, RepositorySettings, StatedSettings, TagMutability};
pub use templates::{CreatedBy, CreationTemplate};
pub use token::Token;
