//! Errors as JSON objects, which `docs/commands.md` documents.

use serde::{Deserialize, Serialize};

use crate::failure::{Failure, Kind, chain};

use super::json::{VERSION, Word};

/// An error that kept a command from beginning, as one JSON object.
#[derive(Serialize)]
pub struct FailureObject {
    version: u8,
    command: Word,
    error: ErrorObject,
}

#[derive(Deserialize, Serialize)]
pub(super) struct ErrorObject {
    kind: Word,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

impl FailureObject {
    /// An error of this kind, in the words of its exit code.
    pub fn new(
        command: &'static str,
        kind: &'static str,
        message: String,
        hint: Option<String>,
    ) -> Self {
        Self {
            version: VERSION,
            command: command.into(),
            error: ErrorObject {
                kind: kind.into(),
                message,
                hint,
            },
        }
    }
}

impl ErrorObject {
    pub(super) fn new(error: &impl Failure) -> Self {
        Self {
            kind: error.kind().as_str().into(),
            message: chain(error),
            hint: error.hint(),
        }
    }

    /// The error's kind; that of most errors where another longshore has a word for it.
    pub(super) fn kind(&self) -> Kind {
        Kind::named(&self.kind).unwrap_or(Kind::Permanent)
    }
}
