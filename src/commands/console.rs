//! What commands write: data to stdout, talk to stderr.

use std::io::{ErrorKind, Write};
use std::sync::Arc;

use anyhow::Context;
use serde::Serialize;

use crate::cli::Talk;
use crate::event::Observer;
use crate::report::{self, Style};

/// Who is told what happens.
pub(super) fn observer(talk: Talk) -> Arc<dyn Observer> {
    let style = match talk {
        Talk { quiet: true, .. } => Style::Quiet,
        Talk { verbose: 0, .. } => Style::Normal,
        _ => Style::Verbose,
    };
    report::observer(style)
}

/// Writes data to stdout. A reader that went away has all it wanted.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result.context("cannot write to stdout"),
    }
}

/// Writes one JSON object to stdout.
pub(super) fn print_json(object: &impl Serialize) -> anyhow::Result<()> {
    print(&serde_json::to_string_pretty(object).context("cannot write JSON")?)
}

/// Tells the user something on stderr.
pub(super) fn say(text: &str) {
    // Nothing is left to tell when stderr is gone.
    let _ = writeln!(std::io::stderr(), "{text}");
}
