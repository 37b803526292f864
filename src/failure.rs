//! What every room's error can say about itself, so that the rooms above decide on a retry, an
//! exit code and a hint without knowing the room.

use std::error::Error;

/// The longest line kept of what another program says, in bytes.
const MAX_LINE: usize = 2048;

/// What kind of failure an error is. The last retry and the exit code depend on it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Arguments, the file, the environment or another tool's settings are wrong.
    Configuration,
    /// Credentials were missing or refused. Never retried: a second try cannot help.
    Refused,
    /// The Docker daemon, a registry or AWS could not be reached at all.
    Unreachable,
    /// Throttling, a server error or a broken connection: a later try may succeed.
    Transient,
    /// A registry's budget of reads is used up, or it wants to be left alone: that lasts for
    /// minutes or hours. Waited for on request only.
    Exhausted,
    /// An immutable tag holds something else. Never retried.
    Conflict,
    /// Everything else: the same request would fail the same way.
    Permanent,
}

impl Kind {
    /// The kind's name in machine-readable output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Transient => "transient",
            Self::Exhausted => "exhausted",
            Self::Conflict => "conflict",
            Self::Permanent => "permanent",
        }
    }

    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        let kinds = [
            Self::Configuration,
            Self::Refused,
            Self::Unreachable,
            Self::Transient,
            Self::Exhausted,
            Self::Conflict,
            Self::Permanent,
        ];
        kinds.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether the same request may succeed later.
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::Unreachable | Self::Transient)
    }
}

/// An error of one of the rooms.
pub trait Failure: Error + Send + Sync + 'static {
    /// What kind of failure this is.
    fn kind(&self) -> Kind;

    /// What the user can do about it: one lower-case sentence without a final period.
    fn hint(&self) -> Option<String> {
        None
    }
}

/// An error with all its causes on one line: `a: b: c`.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// What another program says as one line of at most 2 KiB without control characters, which could
/// be terminal escapes; `None` when nothing is left.
pub fn one_line(text: &str) -> Option<String> {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let mut line = words.join(" ");
    line.truncate(line.floor_char_boundary(MAX_LINE));
    (!line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_short_and_plain() {
        let long = "é".repeat(MAX_LINE);
        for (text, line) in [
            ("one\ntwo\t three\n", Some("one two three")),
            ("a\u{1b}[31mb", Some("a [31mb")),
            (" \n", None),
            (&long, Some(&long[..MAX_LINE])),
        ] {
            assert_eq!(one_line(text).as_deref(), line);
        }
    }
}
