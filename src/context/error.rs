//! What can go wrong with a build context.

use std::io;
use std::path::PathBuf;

use crate::failure::{Failure, Kind};

/// A build context cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is nothing at its path.
    #[error("there is no folder `{}`", folder.display())]
    Missing {
        /// The path.
        folder: PathBuf,
    },
    /// What is there is no folder.
    #[error("`{}` is no folder", folder.display())]
    NoFolder {
        /// The path.
        folder: PathBuf,
    },
    /// A symbolic link leads out of the folder that it has to be in.
    #[error("`{}` leads to `{}`, outside of `{}`", folder.display(), target.display(), within.display())]
    Escapes {
        /// The path.
        folder: PathBuf,
        /// Where it leads.
        target: PathBuf,
        /// Where it should have stayed.
        within: PathBuf,
    },
    /// A line of its `.dockerignore` is no pattern.
    #[error("line {line} of `{}` is no pattern: `{pattern}`", file.display())]
    Pattern {
        /// The `.dockerignore`.
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What stands there.
        pattern: String,
    },
    /// A name is no UTF-8, so that no Dockerfile could name it.
    #[error("the name of `{}` is not UTF-8", path.display())]
    Name {
        /// The file or folder.
        path: PathBuf,
    },
    /// A file or folder cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What is sent is not what was looked at before.
    #[error("`{}` changed since it was planned what to build", folder.display())]
    Changed {
        /// The folder.
        folder: PathBuf,
    },
    /// The work on the folder ended unexpectedly.
    #[error("cannot pack `{}`", folder.display())]
    Pack {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Error {
    /// Whether whoever was to receive the context stopped listening, and knows better why.
    pub(super) fn is_unwanted(&self) -> bool {
        match self {
            Self::Read { source, .. } | Self::Pack { source, .. } => {
                source.kind() == io::ErrorKind::BrokenPipe
            }
            _ => false,
        }
    }
}

impl Failure for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Missing { .. }
            | Self::NoFolder { .. }
            | Self::Escapes { .. }
            | Self::Pattern { .. }
            | Self::Name { .. } => Kind::Configuration,
            Self::Read { .. } | Self::Changed { .. } | Self::Pack { .. } => Kind::Permanent,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Missing { .. } => "a relative path starts at the file's folder",
            Self::NoFolder { .. } => "name the folder that holds it",
            Self::Escapes { .. } => "name the folder itself, without a link",
            Self::Pattern { .. } => "a `[` is closed by `]`, and `\\` stands before a character",
            Self::Name { .. } => "rename it, or name it in `.dockerignore`",
            Self::Read { .. } => "what the build does not need can stand in `.dockerignore`",
            Self::Changed { .. } => "run again when nothing writes there",
            Self::Pack { .. } => return None,
        };
        Some(hint.to_owned())
    }
}
