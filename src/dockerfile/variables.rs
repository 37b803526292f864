//! The variables that the words of a Dockerfile see.

use std::collections::BTreeMap;

use super::expansion::{Expanded, ExpansionError, expand};

/// The variables of a stage: the base's, and those of `ENV` and `ARG` lines. As with BuildKit, the
/// latest line wins, whichever of the two it is.
#[derive(Clone, Debug, Default)]
pub(super) struct Variables {
    values: BTreeMap<String, String>,
}

impl Variables {
    /// The base's variables, as `NAME=VALUE`.
    pub(super) fn of(base: &[String]) -> Self {
        let pairs = base.iter().map(|variable| {
            let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
            (name.to_owned(), value.to_owned())
        });
        Self {
            values: pairs.collect(),
        }
    }

    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.values.insert(name.to_owned(), value.to_owned());
    }

    pub(super) fn expand(&self, word: &str) -> Result<Expanded, ExpansionError> {
        expand(word, |name| self.values.get(name).map(String::as_str))
    }
}
