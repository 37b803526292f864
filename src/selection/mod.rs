//! Which tags of a repository are wanted: literals, patterns, versions, exclusions, the newest.

mod error;
mod order;
mod pattern;
mod range;
mod select;
mod version;

pub use error::SelectionError;
pub use pattern::TagPattern;
pub use range::VersionRange;
pub use select::{Selected, StepCount, TagSelection};
