//! `longshore completions`.

use clap::CommandFactory as _;
use clap_complete::aot::{Bash, Fish, Generator as _, Zsh};

use crate::cli::{Arguments, Completions, Shell};

use super::console;
use super::exit::Exit;

/// Prints what completes arguments in a shell.
pub(super) fn completions(arguments: &Completions) -> anyhow::Result<Exit> {
    let mut command = Arguments::command();
    command.set_bin_name("longshore");
    command.build();
    let mut script = Vec::new();
    match arguments.shell {
        Shell::Bash => Bash.try_generate(&command, &mut script)?,
        Shell::Zsh => Zsh.try_generate(&command, &mut script)?,
        Shell::Fish => Fish.try_generate(&command, &mut script)?,
    }
    console::print(String::from_utf8(script)?.trim_end())?;
    Ok(Exit::Success)
}
