//! `longshore init`.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::cli;
use crate::failure::{Failure, Kind};

use super::exit::Exit;
use super::starter::{self, StarterFile};
use super::{console, session};

/// Files stand where starters would.
#[derive(Debug, thiserror::Error)]
#[error("{} there already", are(files))]
pub(super) struct Occupied {
    files: Vec<PathBuf>,
}

/// `a` is, `a` and `b` are.
fn are(files: &[PathBuf]) -> String {
    let names: Vec<String> = files
        .iter()
        .map(|file| format!("`{}`", file.display()))
        .collect();
    let verb = if names.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", names.join(" and "))
}

impl Failure for Occupied {
    fn kind(&self) -> Kind {
        Kind::Configuration
    }

    fn hint(&self) -> Option<String> {
        Some("name another folder with `--directory DIR`, or overwrite with `--force`".to_owned())
    }
}

/// Writes all starter files, or none where one of them is there.
pub(super) fn init(arguments: &cli::Init) -> anyhow::Result<Exit> {
    let folder = session::given_path(arguments.directory.as_ref()).unwrap_or(Path::new(""));
    let files = starter::files(arguments.starter)?;
    if !arguments.force {
        let there: Vec<PathBuf> = files
            .iter()
            .map(|file| folder.join(file.path))
            .filter(|path| path.symlink_metadata().is_ok())
            .collect();
        if !there.is_empty() {
            return Err(Occupied { files: there }.into());
        }
    }
    for file in &files {
        let path = folder.join(file.path);
        write(&path, file, arguments.force)
            .with_context(|| format!("cannot write `{}`", path.display()))?;
        console::print(&path.display().to_string())?;
    }
    console::say(&format!("next: {}", starter::next_step(arguments.starter)));
    Ok(Exit::Success)
}

fn write(path: &Path, file: &StarterFile, force: bool) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut options = OpenOptions::new();
    let options = options.write(true);
    let options = if force {
        options.create(true).truncate(true)
    } else {
        options.create_new(true)
    };
    options.open(path)?.write_all(file.text.as_bytes())
}
