//! OCI image layouts: images as files in a folder, for machines without a network.

mod blobs;
mod error;
mod folder;
mod index;
mod kept;
mod manifests;
mod naming;
#[cfg(test)]
mod tests;
mod write;

pub use blobs::BlobStream;
pub use error::Error;
pub use folder::{Layout, Layouts};
