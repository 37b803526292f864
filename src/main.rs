//! The `longshore` binary: parse, run, exit code; nothing else.

use std::process::ExitCode;

use clap::Parser;
use longshore::cli::Arguments;
use longshore::commands;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    commands::run(arguments).into()
}
