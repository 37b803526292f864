//! The Docker daemon: every call wrapped once.

mod address;
mod build;
mod buildkit;
mod connection;
mod context;
mod daemon;
mod emulation;
mod engine;
mod error;
mod export;
#[cfg(test)]
mod fake;
mod images;
mod last_line;
mod login;
mod meaning;
mod printout;
mod probe;
mod progress;
mod pull;
mod push;
mod session;
mod steps;
mod wire;

pub use build::BuildRequest;
pub use connection::Docker;
pub use daemon::DaemonDetails;
pub use engine::{Engine, Engines};
pub use error::{Error, Reason, Task, Transport};
pub use export::{Compression, Export, ExportError, ExportRequest, Layer, LayerSettings};
pub use images::ImageDetails;
pub use meaning::Meaning;
pub use printout::is_chatter;
pub use session::BuildSecret;
pub use steps::StepImages;
