//! Images wherever they are kept, in a registry or in an OCI layout, behind one set of verbs.

mod blobs;
mod detour;
mod error;
mod images;

pub use blobs::BlobStream;
pub use detour::{Detour, Detours};
pub use error::Error;
pub use images::Store;
