//! Why an image cannot be read or written where it is kept.

use std::io;

use crate::failure::{Failure, Kind};
use crate::image::{Reference, Registry};
use crate::{layout, registry};

/// An image cannot be read or written where it is kept.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// In a registry.
    #[error(transparent)]
    Registry(#[from] registry::Error),
    /// What is read through a cache has to be listed at its own registry.
    #[error("the pull-through cache lists only what it has, so `{registry}` itself is asked")]
    Listed {
        /// The registry.
        registry: Registry,
        /// Why it did not answer.
        source: registry::Error,
    },
    /// In an OCI layout.
    #[error(transparent)]
    Layout(#[from] layout::Error),
    /// In the Docker daemon, which gives images out whole.
    #[error("`{image}` is in the Docker daemon, which knows no single manifests and blobs")]
    Daemon {
        /// The image.
        image: String,
    },
    /// What was to be written came from this machine and cannot be read.
    #[error("cannot read a new layer back from `{}`", std::env::temp_dir().display())]
    Local(#[source] io::Error),
}

impl Error {
    pub(super) fn in_daemon(image: &Reference) -> Self {
        Self::Daemon {
            image: image.familiar(),
        }
    }

    /// Whether a manifest was refused because what it names is not there.
    pub fn lacks_blobs(&self) -> bool {
        matches!(self, Self::Registry(error) if error.lacks_blobs())
    }
}

impl Failure for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Registry(error) => error.kind(),
            Self::Listed { source, .. } => source.kind(),
            Self::Layout(error) => error.kind(),
            Self::Daemon { .. } => Kind::Permanent,
            Self::Local(_) => Kind::Transient,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Registry(error) => error.hint(),
            Self::Listed { registry, source } if source.kind() == Kind::Unreachable => {
                Some(format!(
                    "where `{registry}` cannot be reached, name tags instead of patterns, and leave \
                     `referrers` out"
                ))
            }
            Self::Listed { source, .. } => source.hint(),
            Self::Layout(error) => error.hint(),
            Self::Daemon { .. } | Self::Local(_) => None,
        }
    }
}
