//! `longshore schema`.

use crate::config;

use super::console;
use super::exit::Exit;

/// Prints the JSON Schema of the file.
pub(super) fn schema() -> anyhow::Result<Exit> {
    console::print_json(&config::schema())?;
    Ok(Exit::Success)
}
