//! The file as written, and the checked specification that everything above works from.

mod build_options;
mod build_secrets;
mod builder;
mod cache_credential;
mod cache_specification;
mod check;
mod collision;
mod destination;
mod dockerfile_options;
mod document;
mod elsewhere;
mod engine;
mod hint;
mod image_pattern;
mod images;
mod lock;
mod lock_file;
mod mistakes;
mod names;
mod options;
mod partition;
mod partition_choice;
mod partition_error;
mod password;
mod policies;
mod pull_through_cache;
mod reader;
mod registry_scanning;
mod repositories;
mod schema;
mod shapes;
mod single;
mod sources;
mod specification;
mod stored_secret;
mod tags;
#[cfg(test)]
mod tests;
mod through_cache;
mod tree;
mod upstreams;
mod written;

pub use cache_specification::{CacheCredential, CacheRule, CacheSpecification};
pub use document::{CONFIG_VARIABLE, DEFAULT_FILE, Document, DocumentError};
pub use image_pattern::{Expansion, ImagePattern};
pub use lock::{Lock, LockedPattern};
pub use lock_file::LockError;
pub use mistakes::Mistakes;
pub use partition::{MOST_PARTITIONS, Partition};
pub use partition_choice::PartitionChoice;
pub use partition_error::PartitionError;
pub use password::Password;
pub use pull_through_cache::READ_STATEMENT;
pub use schema::schema;
pub use single::SingleImage;
pub use specification::{
    Attestations, Builder, BuilderEngine, Destination, EcrDestination, ImageSpecification,
    OnConflict, Platforms, Publish, Repositories, Specification, Upstream, UpstreamLogin,
};
pub use stored_secret::StoredSecret;
