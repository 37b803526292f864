//! The configuration's text, and where it comes from.

use std::fmt;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Kind};

/// The file that is read when nothing else is said.
pub const DEFAULT_FILE: &str = "longshore.yaml";

/// The variable that may hold the whole configuration.
pub const CONFIG_VARIABLE: &str = "LONGSHORE_CONFIG";

/// A configuration's text. `Debug` does not show it, because it may hold what should be secret.
#[derive(Clone, Eq, PartialEq)]
pub struct Document {
    /// What mistakes call it: a path, `standard input` or the variable's name.
    pub name: String,
    /// YAML or JSON.
    pub text: String,
    /// The folder that relative paths in the text start from.
    pub folder: PathBuf,
}

/// The configuration's text cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// Nothing was named and the default file does not exist.
    #[error(
        "no configuration: neither `-f` nor `{CONFIG_VARIABLE}` is given, and there is no \
         `{DEFAULT_FILE}` in `{}`", folder.display()
    )]
    Missing {
        /// The working folder.
        folder: PathBuf,
    },
    /// What was named cannot be read.
    #[error("cannot read the configuration from `{name}`")]
    Unreadable {
        /// The path, or `standard input`.
        name: String,
        /// Why.
        source: io::Error,
    },
}

impl Failure for DocumentError {
    fn kind(&self) -> Kind {
        Kind::Configuration
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { .. } => Some(format!(
                "write `{DEFAULT_FILE}`, name a file with `-f FILE`, or pipe one in with `-f -`"
            )),
            Self::Unreadable { .. } => Some(format!(
                "name another file with `-f FILE`, or put the text into `{CONFIG_VARIABLE}`"
            )),
        }
    }
}

impl Document {
    /// Finds the configuration: the file that `flag` names (`-` is the standard input), else what
    /// the variable `LONGSHORE_CONFIG` holds, else `longshore.yaml` in the working folder.
    pub fn locate(
        flag: Option<&Path>,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, DocumentError> {
        Self::locate_from(Path::new(""), flag, env)
    }

    fn locate_from(
        working: &Path,
        flag: Option<&Path>,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, DocumentError> {
        match flag {
            Some(path) if path == Path::new("-") => Self::from_standard_input(working),
            Some(path) => Self::from_file(&working.join(path)),
            None => match env(CONFIG_VARIABLE).filter(|text| !text.trim().is_empty()) {
                Some(text) => Ok(Self::from_variable(working, text)),
                None => Self::from_default(working),
            },
        }
    }

    fn from_standard_input(working: &Path) -> Result<Self, DocumentError> {
        let name = "standard input".to_owned();
        let mut text = String::new();
        match io::stdin().read_to_string(&mut text) {
            Ok(_) => Ok(Self {
                name,
                text,
                folder: working.to_owned(),
            }),
            Err(source) => Err(DocumentError::Unreadable { name, source }),
        }
    }

    fn from_file(path: &Path) -> Result<Self, DocumentError> {
        let name = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Self {
                name,
                text,
                folder: path.parent().unwrap_or(Path::new("")).to_owned(),
            }),
            Err(source) => Err(DocumentError::Unreadable { name, source }),
        }
    }

    fn from_variable(working: &Path, text: String) -> Self {
        Self {
            name: CONFIG_VARIABLE.to_owned(),
            text,
            folder: working.to_owned(),
        }
    }

    fn from_default(working: &Path) -> Result<Self, DocumentError> {
        match Self::from_file(&working.join(DEFAULT_FILE)) {
            Err(DocumentError::Unreadable { source, .. })
                if source.kind() == io::ErrorKind::NotFound =>
            {
                let folder = std::path::absolute(working.join("."));
                Err(DocumentError::Missing {
                    folder: folder.unwrap_or_else(|_| working.to_owned()),
                })
            }
            found => found,
        }
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Document")
            .field("name", &self.name)
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "version: 1\nimages: [mongo]\n";

    fn nothing(_: &str) -> Option<String> {
        None
    }

    #[test]
    fn the_flag_wins_over_the_variable_and_the_variable_over_the_default() {
        let folder = tempfile::tempdir().unwrap();
        let working = folder.path();
        std::fs::write(working.join(DEFAULT_FILE), "default").unwrap();
        std::fs::create_dir(working.join("sub")).unwrap();
        std::fs::write(working.join("sub/other.yaml"), "flag").unwrap();
        let variable = |_: &str| Some(TEXT.to_owned());
        let flag = Path::new("sub/other.yaml");

        let found = Document::locate_from(working, Some(flag), &variable).unwrap();
        assert_eq!(
            (found.text.as_str(), found.folder),
            ("flag", working.join("sub"))
        );
        let found = Document::locate_from(working, None, &variable).unwrap();
        assert_eq!(
            (found.text.as_str(), found.name.as_str()),
            (TEXT, CONFIG_VARIABLE)
        );
        let found = Document::locate_from(working, None, &nothing).unwrap();
        assert_eq!(
            (found.text.as_str(), found.folder.as_path()),
            ("default", working)
        );
    }

    #[test]
    fn an_empty_variable_holds_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let empty = |_: &str| Some("  ".to_owned());
        let found = Document::locate_from(folder.path(), None, &empty);
        assert!(matches!(found, Err(DocumentError::Missing { .. })));
    }

    #[test]
    fn says_where_it_looked() {
        let folder = tempfile::tempdir().unwrap();
        let error = Document::locate_from(folder.path(), None, &nothing).unwrap_err();
        assert_eq!(
            error
                .to_string()
                .replace(folder.path().to_str().unwrap(), "/here"),
            "no configuration: neither `-f` nor `LONGSHORE_CONFIG` is given, \
             and there is no `longshore.yaml` in `/here`"
        );
        let flag = Some(Path::new("/no/such.yaml"));
        let error = Document::locate_from(folder.path(), flag, &nothing).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot read the configuration from `/no/such.yaml`"
        );
    }
}
