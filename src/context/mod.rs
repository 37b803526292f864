//! The build context: the folder that `COPY` and `ADD` lines take files from.

mod archive;
mod error;
mod folder;
mod ignore;
mod path;
mod pattern;
mod shipment;
mod source;
mod spool;

pub use error::Error;
pub use folder::Context;
pub use shipment::Shipment;
pub use source::SourceError;
pub use spool::{Spool, SpooledEntry, SpooledKind};
