//! Every example in the documentation does what the text says it does.

pub(crate) mod fences;
pub(crate) mod language;
mod links;
mod shell;
mod terraform;

use std::fs;
use std::path::Path;

use clap::CommandFactory as _;
use longshore::cli::Arguments;
use longshore::config::{Document, Specification};

use crate::harness::Longshore;

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

#[test]
fn every_fence_is_executed_or_validated() {
    let pages: Vec<String> = fences::pages().into_iter().map(|(name, _)| name).collect();
    for page in [
        "README.md",
        "docs/commands.md",
        "terraform/ecr-mirror/README.md",
    ] {
        assert!(pages.iter().any(|name| name == page), "{page}: {pages:?}");
    }
    let mut wrong = Vec::new();
    for fence in fences::all() {
        println!("{}: {}", fence.place, fence.language);
        if let Err(error) = language::check(&fence) {
            wrong.push(format!("{}: {}: {error}", fence.place, fence.language));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What stands in a page, and what would be said of it.
#[test]
fn a_fence_that_is_wrong_is_found() {
    for (page, said) in [
        ("```\nx\n```", "names no language"),
        (
            "```toml\nx = 1\n```",
            "nobody can check the language `toml`",
        ),
        ("- a list\n\n  ```toml\n  x = 1\n  ```", "`toml`"),
        ("> ```toml\n> x = 1\n> ```", "`toml`"),
        ("~~~sh\nmake test\n~~~", "three backticks"),
        ("````sh\nmake test\n````", "three backticks"),
        ("```sh\nmake test\n", "is not closed"),
        ("```sh\nmake test\n ```\n", "is not closed"),
        ("```sh\n# Nothing.\n```", "no command"),
        ("```sh\nlongshore aply\n```", "unrecognized subcommand"),
        ("```sh\necho x && longshore plan --foo\n```", "--foo"),
        ("```sh\nlongshore plan \\\n  --foo\n```", "--foo"),
        ("```sh\nmake tset\n```", "no target `tset`"),
        (
            "```sh\nfrobnicate\n```",
            "nobody knows the program `frobnicate`",
        ),
        (
            "```sh\nLONGSHORE_FIEL=x longshore plan\n```",
            "`LONGSHORE_FIEL`",
        ),
        ("```sh\nfor\n```", "yntax error"),
        ("```yaml\nversion: 1\n```", "`images` is missing"),
        ("```yaml\nversion: [\n```", "yaml"),
        (
            "```yaml\nversion: 0.2\nphases: {biuld: {commands: []}}\n```",
            "no phase `biuld`",
        ),
        (
            "```yaml\nversion: 0.2\nphases: {build: {commands: [longshore aply]}}\n```",
            "unrecognized subcommand",
        ),
        (
            "```yaml\non: push\njobs: {a: {steps: [{uses: actions/checkout@v4}]}}\n```",
            "`actions/checkout@v4` is not pinned",
        ),
        (
            "```yaml\non: push\njobs: {a: {steps: [{run: longshore aply}]}}\n```",
            "unrecognized subcommand",
        ),
        (
            "```yaml\napiVersion: batch/v1\nkind: Job\nspec: {template: {spec: {containers: [{args: [aply]}]}}}\n```",
            "unrecognized subcommand",
        ),
        (
            "```yaml\napiVersion: v1\nkind: Pod\n```",
            "all that is known of Kubernetes",
        ),
        ("```json\n{\n```", "EOF"),
        (
            "```json\n{\"version\": 1, \"image\": []}\n```",
            "unknown key",
        ),
        (
            "```json\n{\"version\": 1, \"images\": {\"a\": {}}}\n```",
            "is not a lock",
        ),
        ("```json\n{\"Statement\": []}\n```", "no policy"),
        ("```handlebars\nFROM {{base}}\n```", "not the template"),
        ("```hcl\nlocals {\n```", "`}` is missing"),
        (
            "```hcl\nlocals {\n  a = \"LONGSHORE_FIEL\"\n}\n```",
            "`LONGSHORE_FIEL`",
        ),
        (
            "```hcl\nmodule \"a\" {\n  source = \"./longshore/terraform/ecr-mirror\"\n  foo = 1\n}\n```",
            "no input `foo`",
        ),
        (
            "```hcl\nmodule \"a\" {\n  source = \"./longshore/terraform/nothing\"\n}\n```",
            "no module `nothing`",
        ),
    ] {
        let found = fences::fences("page.md", page);
        let found = found.and_then(|fences| {
            assert_eq!(fences.len(), 1, "{page}");
            language::check(&fences[0])
        });
        let error = found.expect_err(page);
        assert!(error.contains(said), "{page}\n{error}");
    }
}

#[test]
fn the_first_file_of_the_readme_is_the_one_that_the_demo_applies() {
    let of = |text: String, name: &str| {
        let document = Document {
            name: name.to_owned(),
            text,
            folder: ".".into(),
        };
        let specification = Specification::parse(&document, &|_| None).unwrap();
        let images = specification.images.iter();
        let images = images.map(|image| {
            let lines = image.lines.as_slice().join("\n");
            format!(
                "{} {}:{}\n{lines}",
                image.source, image.repository, image.tag
            )
        });
        images.collect::<Vec<_>>()
    };
    let readme = fences::of("README.md", "yaml").swap_remove(0).text;
    let example = read("fixtures/dockerhub-clone.yaml");
    assert_eq!(of(readme, "README.md"), of(example, "example"));
}

/// The commands by their names, as somebody calls them: `plan`, `cache apply`.
pub(crate) fn commands() -> Vec<String> {
    fn collect(command: &clap::Command, before: &str, names: &mut Vec<String>) {
        for command in command.get_subcommands() {
            let name = format!("{before}{}", command.get_name());
            if command.has_subcommands() {
                collect(command, &format!("{name} "), names);
            } else {
                names.push(name);
            }
        }
    }
    let mut names = Vec::new();
    collect(&Arguments::command(), "", &mut names);
    names
}

/// The arguments and their variables, as the table of `docs/commands.md` lists them.
#[test]
fn every_command_argument_and_variable_is_documented() {
    let text = read("docs/commands.md");
    let mut missing = Vec::new();
    for command in commands() {
        if !text.contains(&format!("| `{command}")) {
            missing.push(command.clone());
        }
        let folder = tempfile::tempdir().unwrap();
        let arguments: Vec<&str> = command.split(' ').chain(["--help"]).collect();
        let help = Longshore::new(folder.path(), &arguments).run().exits(0);
        for word in help
            .stdout
            .split(|c: char| !(c.is_ascii_alphanumeric() || "-_".contains(c)))
        {
            let counts = word.starts_with("--") && word.len() > 2 || word.starts_with("LONGSHORE_");
            let is_general = ["--help", "--version"].contains(&word);
            if counts
                && !is_general
                && !text.contains(&format!("{word}`"))
                && !text.contains(&format!("{word} "))
            {
                missing.push(format!("{command}: {word}"));
            }
        }
    }
    assert_eq!(missing, [""; 0]);
}
