//! What can be wrong with a selection of tags.

use crate::failure::{Failure, Kind};

/// A text that selects tags cannot be understood.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SelectionError {
    /// The text is not a pattern of tags.
    #[error("`{pattern}` is not a pattern of tags: {reason}")]
    Pattern {
        /// The text.
        pattern: String,
        /// What is wrong with it.
        reason: String,
        /// What to write instead.
        hint: Option<String>,
    },
    /// The text is not a range of versions.
    #[error("`{range}` is not a range of versions: {reason}")]
    Range {
        /// The text.
        range: String,
        /// What is wrong with it.
        reason: String,
        /// What to write instead.
        hint: Option<String>,
    },
}

impl Failure for SelectionError {
    fn kind(&self) -> Kind {
        Kind::Permanent
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Pattern { hint, .. } | Self::Range { hint, .. } => hint.clone(),
        }
    }
}
