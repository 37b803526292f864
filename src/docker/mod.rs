//! The Docker daemon: every call wrapped once.

mod address;
mod build;
mod connection;
mod context;
mod daemon;
mod emulation;
mod error;
mod export;
#[cfg(test)]
mod fake;
mod images;
mod login;
mod meaning;
mod printout;
mod probe;
mod pull;
mod push;
mod steps;

pub use build::BuildRequest;
pub use connection::Docker;
pub use daemon::DaemonDetails;
pub use error::{Error, Reason, Task, Transport};
pub use export::{Compression, Export, ExportError, ExportRequest, Layer, LayerSettings};
pub use images::ImageDetails;
pub use meaning::Meaning;
pub use printout::is_chatter;
pub use steps::StepImages;
