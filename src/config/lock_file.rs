//! The lock as a file.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use super::lock::{Lock, VERSION};
use super::mistakes::Mistakes;
use crate::failure::{Failure, Kind};

/// A lock cannot be used or written.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// The file cannot be read.
    #[error("cannot read the lock `{name}`")]
    Unreadable {
        /// The path.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// The file is no lock.
    #[error("`{name}` is not a lock")]
    Malformed {
        /// The path.
        name: String,
        /// Why.
        source: serde_json::Error,
    },
    /// The file is a lock of another version of longshore.
    #[error(
        "the lock `{name}` is of version {version}, and this longshore reads version {VERSION}"
    )]
    Version {
        /// The path.
        name: String,
        /// The version that it says to be.
        version: u8,
    },
    /// The lock and the configuration are not about the same images.
    #[error("the lock `{name}` does not fit the configuration\n  {}", differences.join("\n  "))]
    Stale {
        /// The path.
        name: String,
        /// What one has and the other lacks or has otherwise, each as a sentence.
        differences: Vec<String>,
    },
    /// Two images would write the same destination tag.
    #[error(transparent)]
    Mistakes(#[from] Mistakes),
    /// A lock is of all images, and some are asked for.
    #[error("a lock is of all images: `--lock` and names of images exclude each other")]
    Narrowed,
    /// The file cannot be written.
    #[error("cannot write the lock `{name}`")]
    Unwritable {
        /// The path.
        name: String,
        /// Why.
        source: io::Error,
    },
}

impl Failure for LockError {
    fn kind(&self) -> Kind {
        Kind::Configuration
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Unreadable { name, .. }
            | Self::Malformed { name, .. }
            | Self::Version { name, .. } => {
                Some(format!("`longshore plan --lock {name}` writes it"))
            }
            Self::Stale { name, .. } => Some(format!(
                "`longshore plan --lock {name}` locks what the configuration says now"
            )),
            Self::Mistakes(mistakes) => mistakes.hint(),
            Self::Narrowed => Some("leave the names out".to_owned()),
            Self::Unwritable { .. } => {
                Some("name a file in a folder that exists and can be written".to_owned())
            }
        }
    }
}

impl Lock {
    /// Reads a lock.
    pub fn read(path: &Path) -> Result<Self, LockError> {
        let name = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(name, &text),
            Err(source) => Err(LockError::Unreadable { name, source }),
        }
    }

    fn parse(name: String, text: &str) -> Result<Self, LockError> {
        /// What all versions have.
        #[derive(serde::Deserialize)]
        struct Versioned {
            version: u8,
        }
        match serde_json::from_str(text) {
            Ok(Versioned { version }) if version != VERSION => {
                Err(LockError::Version { name, version })
            }
            Ok(_) => {
                serde_json::from_str(text).map_err(|source| LockError::Malformed { name, source })
            }
            Err(source) => Err(LockError::Malformed { name, source }),
        }
    }

    /// Writes the lock, all of it or nothing: a run that is killed leaves the old one.
    pub fn write(&self, path: &Path) -> Result<(), LockError> {
        self.replace(path).map_err(|source| LockError::Unwritable {
            name: path.display().to_string(),
            source,
        })
    }

    fn replace(&self, path: &Path) -> io::Result<()> {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        let mut file = new_file(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        // The name is safe only when its folder is; not every file system can say so.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
        Ok(())
    }
}

/// A file under a name of its own, that others may read as any file of the user's.
fn new_file(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".longshore-lock-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}
