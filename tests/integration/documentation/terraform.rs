//! Terraform's language.

use std::fs;
use std::path::Path;

use super::shell;
use crate::harness::{Longshore, Terraform};

/// What Terraform itself says of a block of `module`, beside the module's own inputs.
const META: [&str; 6] = [
    "source",
    "version",
    "providers",
    "count",
    "for_each",
    "depends_on",
];

/// Checks what can be checked here: the names of variables and inputs always, the rest by Terraform
/// where it is present. A call of a module is validated beside the module.
pub(crate) fn check(text: &str) -> Result<(), String> {
    balanced(text)?;
    shell::variables(text)?;
    text.split("\nmodule \"")
        .skip(usize::from(!text.starts_with("module \"")))
        .try_for_each(module)?;
    let Some(terraform) = Terraform::bare("Terraform's view of the examples") else {
        return Ok(());
    };
    let folder = tempfile::tempdir().unwrap();
    let call = |program: &Path, arguments: &[&str]| {
        Longshore::program(program, folder.path(), arguments).env("TF_CLI_CONFIG_FILE", "/dev/null")
    };
    let formatted = call(&terraform.program, &["fmt", "-check", "-diff", "-"])
        .stdin(text)
        .run();
    formatted.succeeds()?;
    let needs_more = ["module \"", "provider \"", "resource \"aws_", "data \"aws_"];
    if needs_more.iter().any(|block| text.contains(block)) {
        return Ok(());
    }
    let root = terraform.root(folder.path(), text, call);
    root.run(&["validate"]).succeeds()
}

/// Each bracket outside of texts and comments is closed.
fn balanced(text: &str) -> Result<(), String> {
    let mut open = Vec::new();
    for line in text.lines() {
        let mut quoted = false;
        let mut characters = line.chars();
        while let Some(character) = characters.next() {
            match character {
                '\\' if quoted => drop(characters.next()),
                '"' => quoted = !quoted,
                _ if quoted => {}
                '#' => break,
                '{' => open.push('}'),
                '[' => open.push(']'),
                '(' => open.push(')'),
                '}' | ']' | ')' if open.pop() != Some(character) => {
                    return Err(format!("`{character}` closes nothing in `{line}`"));
                }
                _ => {}
            }
        }
        if quoted {
            return Err(format!("a text is not closed in `{line}`"));
        }
    }
    match open.pop() {
        Some(bracket) => Err(format!("`{bracket}` is missing")),
        None => Ok(()),
    }
}

/// A call of one of longshore's modules names inputs that the module has.
fn module(block: &str) -> Result<(), String> {
    let body = block.split("\n}").next().unwrap();
    let arguments = body.lines().filter_map(|line| {
        let (name, value) = line.strip_prefix("  ")?.split_once(" = ")?;
        (!name.starts_with([' ', '#'])).then_some((name.trim(), value))
    });
    let arguments: Vec<_> = arguments.collect();
    let source = arguments.iter().find(|(name, _)| *name == "source");
    let source = source.map_or("", |(_, value)| value.trim_matches('"'));
    let Some(name) = source.strip_prefix("./longshore/terraform/") else {
        return Ok(());
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("terraform")
        .join(name);
    let variables = fs::read_to_string(folder.join("variables.tf"))
        .map_err(|_| format!("there is no module `{name}`"))?;
    let is_known =
        |name: &str| META.contains(&name) || variables.contains(&format!("variable \"{name}\" {{"));
    match arguments.iter().find(|(name, _)| !is_known(name)) {
        Some((unknown, _)) => Err(format!("the module `{name}` has no input `{unknown}`")),
        None => Ok(()),
    }
}
