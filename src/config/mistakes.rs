//! Everything that is wrong with a configuration, in one go.

use std::error::Error;
use std::fmt;

use crate::failure::{Failure, Kind};

/// Where something stands in a text, counted from 1.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Position {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// What a mistake is about: a position in the text, or an argument, and the way to it through keys.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Place {
    /// Absent for arguments of the command line.
    pub(super) position: Option<Position>,
    /// `images[2].lines[0]`, or an argument's name.
    pub(super) path: String,
}

impl Place {
    /// The whole text.
    pub(super) fn root(position: Position) -> Self {
        Self {
            position: Some(position),
            path: String::new(),
        }
    }

    /// An argument of the command line.
    pub(super) fn argument(name: &str) -> Self {
        Self {
            position: None,
            path: name.to_owned(),
        }
    }

    /// What stands below a key of this mapping.
    pub(super) fn key(&self, key: &str, position: Position) -> Self {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let path = if !key.chars().all(plain) || key.is_empty() {
            format!("{}[{key:?}]", self.path)
        } else if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        };
        Self {
            position: Some(position),
            path,
        }
    }

    /// An element of this list, counted from 0.
    pub(super) fn index(&self, index: usize, position: Position) -> Self {
        Self {
            position: Some(position),
            path: format!("{}[{index}]", self.path),
        }
    }

    /// The line, or 0 where there is none.
    pub(super) fn line(&self) -> usize {
        self.position.map_or(0, |position| position.line)
    }
}

/// A value and its place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Located<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct Mistake {
    place: Place,
    message: String,
    hint: Option<String>,
}

/// Everything that is wrong with a configuration or with the arguments that stand for one. Prints
/// one mistake a line, by position, each with its key path and a hint below it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mistakes {
    name: String,
    list: Vec<Mistake>,
}

impl Mistakes {
    pub(super) fn of(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            list: Vec::new(),
        }
    }

    pub(super) fn add(
        &mut self,
        place: &Place,
        message: impl Into<String>,
        hint: impl Into<Option<String>>,
    ) {
        let mistake = Mistake {
            place: place.clone(),
            message: message.into(),
            hint: hint.into(),
        };
        // What an alias repeats is one mistake.
        let known = self.list.iter().any(|other| {
            place.position.is_some()
                && other.place.position == place.position
                && other.message == mistake.message
        });
        if !known {
            self.list.push(mistake);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// The mistakes by position.
    pub(super) fn sorted(mut self) -> Self {
        self.list.sort_by_key(|mistake| mistake.place.position);
        self
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mistakes = if self.list.len() == 1 {
            "mistake"
        } else {
            "mistakes"
        };
        write!(formatter, "{} {mistakes} in {}", self.list.len(), self.name)?;
        for Mistake {
            place,
            message,
            hint,
        } in &self.list
        {
            formatter.write_str("\n")?;
            if let Some(Position { line, column }) = place.position {
                write!(formatter, "{}:{line}:{column}: ", self.name)?;
            }
            if !place.path.is_empty() {
                write!(formatter, "{}: ", place.path)?;
            }
            formatter.write_str(message)?;
            if let Some(hint) = hint {
                write!(formatter, "\n  hint: {hint}")?;
            }
        }
        Ok(())
    }
}

impl Error for Mistakes {}

impl Failure for Mistakes {
    fn kind(&self) -> Kind {
        Kind::Configuration
    }
}
