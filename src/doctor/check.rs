//! One thing that was looked at, and what came of it.

use crate::failure::{Failure, Kind, chain};

/// One thing that was looked at, and what came of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Check {
    /// What was looked at: `docker`, `upstream`.
    pub name: &'static str,
    /// Which one, where there are several: `docker.io`.
    pub subject: Option<String>,
    /// What came of it.
    pub verdict: Verdict,
    /// What was found, on one line.
    pub message: String,
    /// What can be done about it: one lower-case sentence without a final period.
    pub hint: Option<String>,
}

/// What came of a check.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// All is well.
    Ok,
    /// It works, and could be better.
    Warning,
    /// It keeps some of the file from being done.
    Failed(Kind),
    /// Nobody knows.
    NotChecked,
}

impl Check {
    /// All is well.
    pub fn ok(name: &'static str, message: impl Into<String>) -> Self {
        Self::new(name, Verdict::Ok, message.into())
    }

    /// It works, and could be better.
    pub fn warning(name: &'static str, message: impl Into<String>) -> Self {
        Self::new(name, Verdict::Warning, message.into())
    }

    /// It does not work.
    pub fn failed(name: &'static str, kind: Kind, message: impl Into<String>) -> Self {
        Self::new(name, Verdict::Failed(kind), message.into())
    }

    /// It does not work, as an error says with its remedy.
    pub fn error(name: &'static str, error: &dyn Failure) -> Self {
        Self::failed(name, error.kind(), chain(error)).with_hint(error.hint())
    }

    /// Nobody knows.
    pub fn not_checked(name: &'static str, message: impl Into<String>) -> Self {
        Self::new(name, Verdict::NotChecked, message.into())
    }

    /// Nobody knows, as an error says with its remedy.
    pub fn unanswered(name: &'static str, error: &dyn Failure) -> Self {
        Self::not_checked(name, chain(error)).with_hint(error.hint())
    }

    fn new(name: &'static str, verdict: Verdict, message: String) -> Self {
        Self {
            name,
            subject: None,
            verdict,
            message,
            hint: None,
        }
    }

    /// The same check, of this one.
    pub fn of(self, subject: impl Into<String>) -> Self {
        let subject = Some(subject.into());
        Self { subject, ..self }
    }

    /// The same check, with a remedy.
    pub fn hint(self, hint: impl Into<String>) -> Self {
        self.with_hint(Some(hint.into()))
    }

    /// The same check, with a remedy where there is one.
    pub fn with_hint(self, hint: Option<String>) -> Self {
        Self { hint, ..self }
    }
}
