//! Why credentials could not be found out.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::helper::TIMEOUT;
use crate::failure::{Failure, Kind};

/// Docker's configuration or one of its credential helpers did not give what it should. No variant
/// quotes what it read: it may hold a secret.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The file exists and cannot be read.
    #[error("cannot read Docker's configuration `{path}`")]
    UnreadableConfig {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Arc<io::Error>,
    },
    /// The file is not what Docker writes.
    #[error("Docker's configuration `{path}` is malformed at line {line}, column {column}")]
    MalformedConfig {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1.
        column: usize,
    },
    /// An `auth` is not the base64 of a name, a colon and a password.
    #[error("`auth` of `{key}` in Docker's configuration `{path}` is malformed")]
    MalformedAuth {
        /// The file.
        path: PathBuf,
        /// The key below `auths`.
        key: String,
    },
    /// The configuration names a helper that is not installed.
    #[error("the credential helper `{helper}` for `{server}` is not in PATH")]
    HelperMissing {
        /// The program's name.
        helper: String,
        /// The registry, as Docker's configuration names it.
        server: String,
        /// The configuration that names the helper.
        path: PathBuf,
    },
    /// The helper could not be run.
    #[error("the credential helper `{helper}` does not run")]
    HelperBroken {
        /// The program's name.
        helper: String,
        /// The registry, as Docker's configuration names it.
        server: String,
        /// Why.
        source: Arc<io::Error>,
    },
    /// The helper failed.
    #[error("the credential helper `{helper}` failed for `{server}`: {message}")]
    HelperFailed {
        /// The program's name.
        helper: String,
        /// The registry, as Docker's configuration names it.
        server: String,
        /// What it wrote to stderr or, where that is nothing, how it ended.
        message: String,
    },
    /// The helper took too long.
    #[error(
        "the credential helper `{helper}` gave no answer for `{server}` in {} seconds",
        TIMEOUT.as_secs()
    )]
    HelperStalled {
        /// The program's name.
        helper: String,
        /// The registry, as Docker's configuration names it.
        server: String,
    },
    /// The helper's answer is no JSON with a name and a secret.
    #[error("the credential helper `{helper}` gave a malformed answer for `{server}`")]
    HelperMalformed {
        /// The program's name.
        helper: String,
        /// The registry, as Docker's configuration names it.
        server: String,
    },
}

impl Failure for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::UnreadableConfig { .. } | Self::MalformedConfig { .. } => Kind::Configuration,
            // A helper's answer is kept for the run, so a later try would get the same.
            Self::MalformedAuth { .. }
            | Self::HelperMissing { .. }
            | Self::HelperBroken { .. }
            | Self::HelperFailed { .. }
            | Self::HelperStalled { .. }
            | Self::HelperMalformed { .. } => Kind::Refused,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::UnreadableConfig { .. } | Self::MalformedConfig { .. } => {
                "repair the file, or name another directory in DOCKER_CONFIG".to_owned()
            }
            Self::MalformedAuth { key, .. } => format!("run `docker login {key}` again"),
            Self::HelperMissing { helper, path, .. } => format!(
                "install `{helper}`, remove it from `{}`, or add the login under `upstreams`",
                path.display()
            ),
            Self::HelperBroken { helper, server, .. }
            | Self::HelperFailed { helper, server, .. }
            | Self::HelperStalled { helper, server }
            | Self::HelperMalformed { helper, server } => {
                format!("try `echo {server} | {helper} get`, or add the login under `upstreams`")
            }
        })
    }
}
