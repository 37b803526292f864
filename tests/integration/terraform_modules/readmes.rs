//! Each module's README shows its example, in a project that has longshore beside it, and all of the
//! module's inputs and outputs.
//! `INSTA_UPDATE=always` writes them.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::harness::entries;

#[test]
fn every_readme_says_what_the_module_takes_and_gives() {
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("terraform");
    for module in entries(&modules) {
        let path = module.join("README.md");
        let written = fs::read_to_string(&path).unwrap();
        let read = |file: &str| fs::read_to_string(module.join(file)).unwrap();

        let (before, rest) = written.split_once("```hcl\n").expect("an example");
        let (_, after) = rest.split_once("\n```\n").unwrap();
        let (text, _) = after.split_once("\n## Inputs\n").expect("inputs");
        let name = module.file_name().unwrap().to_str().unwrap();
        let source = format!("\"./longshore/terraform/{name}\"");
        let example = read("examples/complete/main.tf").replace("\"../..\"", &source);
        let inputs = inputs(&read("variables.tf"));
        let outputs = outputs(&read("outputs.tf"));
        let needs = needs(&read("versions.tf"));
        let right = format!(
            "{before}```hcl\n{example}```\n{text}\n## Inputs\n\n{inputs}\n## Outputs\n\n{outputs}\n\
             ## Requirements\n\n{needs}"
        );
        if env::var("INSTA_UPDATE").is_ok_and(|mode| mode == "always") {
            fs::write(&path, &right).unwrap();
        } else {
            assert_eq!(written, right, "{}", path.display());
        }
    }
}

fn inputs(text: &str) -> String {
    let mut table = "| name | type | default | description |\n|---|---|---|---|\n".to_owned();
    for block in blocks(text, "variable") {
        let default = block.get("default").map_or("required".to_owned(), code);
        let [name, kind, description] = [
            &block.name,
            &block.get("type").unwrap(),
            &block.text("description"),
        ];
        writeln!(
            table,
            "| `{name}` | {} | {default} | {description} |",
            code(kind)
        )
        .unwrap();
    }
    table
}

fn outputs(text: &str) -> String {
    let mut table = "| name | description |\n|---|---|\n".to_owned();
    for block in blocks(text, "output") {
        let description = block.text("description");
        writeln!(table, "| `{}` | {description} |", block.name).unwrap();
    }
    table
}

fn needs(text: &str) -> String {
    let version = |key: &str| {
        let line = text.lines().find(|line| line.trim().starts_with(key));
        let (_, version) = line.unwrap().split_once("\">= ").expect("a lowest version");
        version.trim_end_matches('"').to_owned()
    };
    let [terraform, provider] = ["required_version", "version "].map(version);
    format!("Terraform {terraform} and the AWS provider {provider}, or newer.\n")
}

fn code(text: impl AsRef<str>) -> String {
    format!("`{}`", text.as_ref())
}

/// A block of a file that `terraform fmt` has formatted.
struct Block {
    name: String,
    attributes: Vec<(String, String)>,
}

impl Block {
    fn get(&self, key: &str) -> Option<String> {
        let found = self.attributes.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value.clone())
    }

    /// An attribute that is a plain text.
    fn text(&self, key: &str) -> String {
        serde_json::from_str(&self.get(key).unwrap()).unwrap()
    }
}

fn blocks(text: &str, kind: &str) -> Vec<Block> {
    let start = format!("\n{kind} \"");
    let text = format!("\n{text}");
    let blocks = text.split(&start).skip(1).map(|block| {
        let (name, rest) = block.split_once("\" {\n").unwrap();
        let (body, _) = rest.split_once("\n}\n").unwrap();
        Block {
            name: name.to_owned(),
            attributes: attributes(body),
        }
    });
    blocks.collect()
}

fn attributes(body: &str) -> Vec<(String, String)> {
    let mut attributes: Vec<(String, String)> = Vec::new();
    for line in body.lines().filter(|line| !line.is_empty()) {
        // What is indented further, or closes what was opened, goes on.
        let own = line
            .strip_prefix("  ")
            .filter(|rest| !rest.starts_with([' ', '}', ')', ']']));
        match (own, attributes.last_mut()) {
            (Some(own), _) => {
                let (key, value) = own.split_once(" = ").unwrap_or((own, ""));
                attributes.push((key.trim().to_owned(), value.trim().to_owned()));
            }
            (None, Some((_, value))) => join(value, line.trim()),
            (None, None) => panic!("{line}"),
        }
    }
    attributes
}

/// Adds a line to a value that goes over several.
fn join(value: &mut String, line: &str) {
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    let opened = value.ends_with(['{', '(', '[']);
    let closes = line.starts_with(['}', ')', ']']);
    let space = match (opened, closes) {
        (true, _) | (_, true) => " ",
        (false, false) => ", ",
    };
    write!(value, "{space}{line}").unwrap();
}
