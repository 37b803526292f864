//! Repository names.

use std::fmt;
use std::str::FromStr;

use super::ParseReferenceError;

/// A repository's path inside a registry: `library/mongo`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Repository(String);

impl Repository {
    /// The path: `library/mongo`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// This repository below a prefix: `ecsclone` and `redis` give `ecsclone/redis`.
    pub fn below(&self, prefix: &Self) -> Self {
        Self(format!("{}/{}", prefix.0, self.0))
    }
}

impl FromStr for Repository {
    type Err = ParseReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = |reason| ParseReferenceError::new(text, "a repository", reason);
        if text.is_empty() {
            return Err(fail("the repository is empty"));
        }
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(fail("the repository must be lower case"));
        }
        if text.len() > 255 {
            return Err(fail("the repository is longer than 255 characters"));
        }
        if text.split('/').all(is_path_component) {
            Ok(Self(text.to_owned()))
        } else {
            Err(fail(
                "each part of the repository must be lower-case letters and digits, \
                 separated by single `.`, `_`, `__` or dashes",
            ))
        }
    }
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`, the OCI distribution specification's path component.
fn is_path_component(part: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let mut rest = part;
    loop {
        let after_word = rest.trim_start_matches(alphanumeric);
        if after_word.len() == rest.len() {
            return false;
        }
        if after_word.is_empty() {
            return true;
        }
        let after_separator = after_word.trim_start_matches(|c: char| !alphanumeric(c));
        let separator = &after_word[..after_word.len() - after_separator.len()];
        let dashes = separator.bytes().all(|byte| byte == b'-');
        if !(dashes || matches!(separator, "." | "_" | "__")) {
            return false;
        }
        rest = after_separator;
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
