//! Commands as somebody would type them.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use clap::{CommandFactory as _, Parser as _};
use longshore::cli::Arguments;

/// The programs of others that the documentation calls.
const PROGRAMS: [&str; 25] = [
    ".",
    "aws",
    "cargo",
    "chmod",
    "cp",
    "crane",
    "curl",
    "docker",
    "echo",
    "eval",
    "export",
    "gh",
    "git",
    "jq",
    "mkdir",
    "regsync",
    "rustup",
    "scripts/container-image",
    "sha256sum",
    "shasum",
    "skopeo",
    "sudo",
    "tar",
    "terraform",
    "test",
];

/// Checks a script: its syntax, and each command in it. One without a command is a mistake as well.
pub(crate) fn check(script: &str) -> Result<(), String> {
    syntax(script)?;
    let mut any = false;
    for line in script.replace("\\\n", " ").lines() {
        let words = shlex::split(line).ok_or(format!("`{line}` is not closed"))?;
        for command in commands(words) {
            any = true;
            program(&command)?;
        }
    }
    if any {
        Ok(())
    } else {
        Err("there is no command in it".to_owned())
    }
}

/// What a shell says of the script without running it.
fn syntax(script: &str) -> Result<(), String> {
    let mut shell = Command::new("sh");
    let shell = shell.arg("-n").stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut shell = shell.spawn().unwrap();
    let mut stdin = shell.stdin.take().unwrap();
    stdin.write_all(script.as_bytes()).unwrap();
    drop(stdin);
    let output = shell.wait_with_output().unwrap();
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// The commands of a line, without what they read and write.
fn commands(words: Vec<String>) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "|" | "||" | "&&" | "&" | ";" => commands.push(Vec::new()),
            "<" | ">" | ">>" | "2>" => drop(words.next()),
            word => match word.strip_suffix(';') {
                Some(word) => {
                    commands.last_mut().unwrap().push(word.to_owned());
                    commands.push(Vec::new());
                }
                None => commands.last_mut().unwrap().push(word.to_owned()),
            },
        }
    }
    commands.retain(|command| !command.is_empty());
    commands
}

/// Checks one command: the variables that are set for it, its program and, of our own, its arguments.
pub(crate) fn program(command: &[String]) -> Result<(), String> {
    let is_assignment = |word: &&String| {
        let name = word.split_once('=').map_or("", |(name, _)| name);
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let set = command.iter().take_while(is_assignment).count();
    for word in &command[..set] {
        variables(word)?;
    }
    let command = &command[set..];
    match command.first().map(String::as_str) {
        None => Ok(()),
        Some("longshore" | "./longshore") => match Arguments::try_parse_from(command) {
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        },
        Some("make") => command[1..].iter().try_for_each(|target| {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("Makefile");
            let makefile = std::fs::read_to_string(path).unwrap();
            let is_there = makefile
                .lines()
                .any(|line| line.starts_with(&format!("{target}:")));
            is_there
                .then_some(())
                .ok_or(format!("the Makefile has no target `{target}`"))
        }),
        Some(other) if PROGRAMS.contains(&other) => Ok(()),
        Some(other) => Err(format!("nobody knows the program `{other}`")),
    }
}

/// Checks that longshore knows the variables of its own in a text.
pub(crate) fn variables(text: &str) -> Result<(), String> {
    let known = known_variables();
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let mut own = words.filter(|word| word.starts_with("LONGSHORE_"));
    match own.find(|word| !known.iter().any(|known| known == word)) {
        Some(unknown) => Err(format!("longshore knows no variable `{unknown}`")),
        None => Ok(()),
    }
}

/// The variables that longshore reads.
fn known_variables() -> Vec<String> {
    fn collect(command: &clap::Command, names: &mut Vec<String>) {
        let variables = command.get_arguments().filter_map(clap::Arg::get_env);
        names.extend(variables.map(|name| name.to_str().unwrap().to_owned()));
        for command in command.get_subcommands() {
            collect(command, names);
        }
    }
    let mut names = vec![longshore::config::CONFIG_VARIABLE.to_owned()];
    collect(&Arguments::command(), &mut names);
    names
}
