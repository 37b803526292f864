//! Why a Dockerfile needs a build.

use super::ConfigurationError;
use crate::dockerfile::expansion::ExpansionError;
use crate::failure::{Failure, Kind};

/// Why the image of a Dockerfile cannot be derived from its base's configuration alone.
#[derive(Debug, thiserror::Error)]
#[error("{} a build", place(*.line, .instruction))]
pub struct NeedsBuild {
    /// The line of the Dockerfile, counted from 1; `None` where it is the base's doing.
    pub line: Option<usize>,
    /// The instruction, its lines joined, shortened where it is long; empty where it is the base's
    /// doing.
    pub instruction: String,
    /// The reason.
    #[source]
    pub why: Why,
}

/// The kinds of reasons why a build is needed.
#[derive(Debug, thiserror::Error)]
pub enum Why {
    /// `RUN`, `COPY` or `ADD`.
    #[error("`{keyword}` changes files")]
    ChangesFiles {
        /// The instruction.
        keyword: String,
    },
    /// There are several stages, or something stands before the first.
    #[error("only a Dockerfile that begins with its one `FROM` is no build")]
    Stages,
    /// `FROM` names another image than the source.
    #[error("`FROM` names another image than `{base}`")]
    OtherBase {
        /// The image that was expected.
        base: String,
    },
    /// The base has triggers, which run in every build on it.
    #[error("the base has triggers (`ONBUILD {}`), which run in every build on it", .triggers.join("`, `ONBUILD "))]
    Triggers {
        /// The triggers, without `ONBUILD`.
        triggers: Vec<String>,
    },
    /// A folder that might have to be made first.
    #[error("the base's configuration does not say that the folder `{path}` exists")]
    Folder {
        /// The folder.
        path: String,
    },
    /// The base is not for Linux.
    #[error("the rules for `{os}` are not known")]
    Platform {
        /// The operating system.
        os: String,
    },
    /// The base's configuration cannot be read as Docker reads it.
    #[error("the base's configuration is not read in one way by all")]
    Base(#[source] ConfigurationError),
    /// A word with `$` or quotation marks that Docker refuses or reads in different ways.
    #[error("the word `{word}` cannot be expanded")]
    Word {
        /// The word.
        word: String,
        /// The reason.
        source: ExpansionError,
    },
    /// Docker refuses this; a build would say so too.
    #[error("Docker refuses this: {reason}")]
    Refused {
        /// What Docker would say.
        reason: String,
    },
    /// Docker's versions or builders do not agree on this.
    #[error("Docker's versions do not agree on {what}")]
    Unsure {
        /// What they do not agree on.
        what: &'static str,
    },
}

impl Failure for NeedsBuild {
    fn kind(&self) -> Kind {
        Kind::Configuration
    }

    fn hint(&self) -> Option<String> {
        Some("`builder: auto` and `builder: docker` build such an image".to_owned())
    }
}

impl Why {
    pub(super) fn refused(reason: impl Into<String>) -> Self {
        Self::Refused {
            reason: reason.into(),
        }
    }

    pub(super) fn unsure(what: &'static str) -> Self {
        Self::Unsure { what }
    }
}

fn place(line: Option<usize>, instruction: &str) -> String {
    match line {
        Some(line) => format!("line {line} (`{instruction}`) needs"),
        None => "any line on this base needs".to_owned(),
    }
}
