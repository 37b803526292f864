//! OCI image layouts: written for tests and demonstrations, read by the upstream registry.
//!
//! A repository is a folder below a root (`ROOT/library/mongo`) with `oci-layout`, `index.json` and
//! `blobs/`; a tag is the annotation `org.opencontainers.image.ref.name` of an entry in
//! `index.json`.

mod busybox;
mod image;
mod read;
mod write;

pub use busybox::busybox;
pub use image::{PlatformImage, write_image};
pub(super) use read::Layout;
pub use write::{write_blob, write_manifest};
