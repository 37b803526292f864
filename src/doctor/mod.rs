//! Whether everything is there that the file needs: Docker, AWS, the registries.

mod cache_rules;
mod check;
mod clock;
mod docker;
mod examine;
mod findings;
mod identity;
mod permissions;
mod reads;
mod registry;
mod repositories;
mod span;
mod upstreams;

pub use check::{Check, Verdict};
pub use examine::{Sources, Subject, examine};
