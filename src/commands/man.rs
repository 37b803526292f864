//! `longshore man`.

use anyhow::Context as _;
use clap::CommandFactory as _;

use crate::cli::{self, Arguments};

use super::exit::Exit;

/// Writes a manual page for longshore and for each of its commands.
pub(super) fn man(arguments: &cli::Man) -> anyhow::Result<Exit> {
    let folder = &arguments.directory;
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Arguments::command(), folder))
        .with_context(|| format!("cannot write manual pages to `{}`", folder.display()))?;
    Ok(Exit::Success)
}
