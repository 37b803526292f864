//! Every example in the documentation does what the text says it does.

use std::fs;
use std::path::Path;

use clap::Parser as _;
use longshore::cli::Arguments;
use longshore::config::{Document, Lock, Specification};

use crate::harness::Longshore;

const PAGES: [&str; 7] = [
    "README.md",
    "docs/architecture.md",
    "docs/commands.md",
    "docs/configuration.md",
    "docs/decisions.md",
    "docs/iam.md",
    "docs/performance.md",
];

/// A fenced block: its page, its language and its text.
struct Block {
    page: &'static str,
    language: String,
    text: String,
}

fn page(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

fn blocks(language: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    for name in PAGES {
        let text = page(name);
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if let Some(opened) = line.strip_prefix("```") {
                let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
                blocks.push(Block {
                    page: name,
                    language: opened.to_owned(),
                    text: body.join("\n"),
                });
            }
        }
    }
    blocks.retain(|block| block.language == language);
    assert!(!blocks.is_empty(), "no block of {language}");
    blocks
}

#[test]
fn every_file_is_a_sound_one() {
    let token = |name: &str| (name == "DOCKERHUB_TOKEN").then(|| "secret".to_owned());
    let mut files = 0;
    for block in blocks("yaml") {
        if block.text.contains("phases:") {
            continue;
        }
        let document = Document {
            name: block.page.to_owned(),
            text: block.text,
            folder: ".".into(),
        };
        if let Err(mistakes) = Specification::parse(&document, &token) {
            panic!("{mistakes}");
        }
        files += 1;
    }
    assert_eq!(files, 6);
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
    let readme = blocks("yaml").swap_remove(0).text;
    let example = page("fixtures/dockerhub-clone.yaml");
    assert_eq!(of(readme, "README.md"), of(example, "example"));
}

#[test]
fn every_call_is_understood() {
    let mut calls = 0;
    for block in blocks("sh").into_iter().chain(blocks("yaml")) {
        for line in block.text.lines() {
            let call = line.trim_start().trim_start_matches("- ");
            if call.starts_with("longshore ") {
                let call = call.split(" #").next().unwrap();
                let call = call.split(" >").next().unwrap();
                let words = call.split_whitespace();
                if let Err(error) = Arguments::try_parse_from(words) {
                    panic!("{}: {call}: {error}", block.page);
                }
                calls += 1;
            }
        }
    }
    assert!(calls >= 5, "{calls}");
}

#[test]
fn the_template_shown_is_the_built_in_one() {
    let shown = blocks("handlebars").swap_remove(0).text + "\n";
    assert_eq!(shown, page("templates/Dockerfile.hbs"));
}

/// The arguments and their variables, as the table of `docs/commands.md` lists them.
#[test]
fn every_argument_and_every_variable_is_documented() {
    let text = page("docs/commands.md");
    let mut missing = Vec::new();
    for command in [
        "plan",
        "apply",
        "mirror",
        "render",
        "sandbox",
        "cache plan",
        "cache apply",
        "cache urls",
        "cache policy",
        "doctor",
    ] {
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

#[test]
fn every_policy_and_every_lock_is_sound() {
    for block in blocks("json") {
        if block.text.contains("\"digest\"") {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("lock");
            fs::write(&path, block.text).unwrap();
            Lock::read(&path).unwrap();
            continue;
        }
        let policy: serde_json::Value = serde_json::from_str(&block.text).unwrap();
        assert_eq!(policy["Version"], "2012-10-17", "{}", block.page);
    }
}
