//! Plain values of the OCI world, parsed once at the edges.

mod digest;
mod manifest;
pub mod media_type;
mod platform;
mod reference;

pub use digest::{Digest, Hasher, ParseDigestError};
pub use manifest::{Content, Manifest, ParseManifestError};
pub use oci_spec::image::{Descriptor, ImageConfiguration, ImageIndex, ImageManifest};
pub use platform::{ParsePlatformError, Platform};
pub use reference::{DOCKER_HUB, ParseReferenceError, Reference, Registry, Repository, Tag};
