//! Plain values of the OCI world, parsed once at the edges.

mod digest;
mod location;
mod manifest;
pub mod media_type;
mod platform;
mod reference;
mod registry;
mod repository;
mod tag;

pub use digest::{Digest, Hasher, ParseDigestError};
pub use location::{LayoutReference, Location};
pub use manifest::{Content, Manifest, ParseManifestError};
pub use oci_spec::image::{Descriptor, ImageConfiguration, ImageIndex, ImageManifest};
pub use platform::{ParsePlatformError, Platform};
pub use reference::{ParseReferenceError, Reference};
pub use registry::{DOCKER_HUB, Registry};
pub use repository::Repository;
pub use tag::Tag;
