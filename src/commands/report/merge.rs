//! `longshore report merge`.

use crate::cli;
use crate::commands::console;
use crate::commands::exit::Exit;
use crate::report::MergedReport;

/// Joins the reports of all partitions into one object.
pub(in crate::commands) fn merge(arguments: &cli::Merge) -> anyhow::Result<Exit> {
    let report = MergedReport::read(&arguments.reports)?;
    console::print_json(&report)?;
    Ok(Exit::of_report(&report, arguments.answer.detailed_exitcode))
}
