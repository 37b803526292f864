//! A room of the house imports only rooms below it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::files;

/// The rooms from top to bottom. Rooms on one floor do not import each other.
const FLOORS: [&[&str]; 11] = [
    &["commands"],
    &["cli", "report"],
    &["doctor"],
    &["pipeline", "cache"],
    &["credentials"],
    &["config"],
    &["store", "docker", "ecr"],
    &["aws", "registry", "layout"],
    &["dockerfile", "selection", "context"],
    &["event"],
    &["image", "failure", "once"],
];

fn floor(room: &str) -> usize {
    let floor = FLOORS.iter().position(|rooms| rooms.contains(&room));
    floor.unwrap_or_else(|| panic!("`{room}` has no floor; give it one here"))
}

fn may_import(room: &str, other: &str) -> bool {
    match (room, other) {
        _ if room == other => true,
        // It shares only plain values with the rest, so that it cannot share its bugs.
        ("sandbox", _) => other == "image",
        (_, "sandbox") => room == "commands",
        _ => floor(room) < floor(other),
    }
}

/// The rooms that a file names, in `use` lines and elsewhere.
fn imports(source: &str) -> Vec<&str> {
    let code = source.match_indices("crate::").filter(|(at, _)| {
        let line = source[..*at].rsplit('\n').next().unwrap_or_default();
        !line.trim_start().starts_with("//")
    });
    let after = code.map(|(at, path)| &source[at + path.len()..]);
    after.flat_map(rooms).collect()
}

/// The rooms at the start of what follows `crate::`: one name, or a group in braces.
fn rooms(path: &str) -> Vec<&str> {
    let Some(group) = path.strip_prefix('{') else {
        return vec![first_name(path)];
    };
    let mut depth = 0_u32;
    let mut starts = vec![0];
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => starts.push(at + 1),
            _ => {}
        }
    }
    let names = starts.into_iter().map(|at| first_name(&group[at..]));
    // What follows the last comma may be the group's end.
    names.filter(|name| !name.is_empty()).collect()
}

fn first_name(text: &str) -> &str {
    let text = text.trim_start();
    let end = text.find(|character: char| !(character.is_ascii_lowercase() || character == '_'));
    &text[..end.unwrap_or(text.len())]
}

/// What a file of a room imports and must not.
fn offences<'a>(room: &str, source: &'a str) -> Vec<&'a str> {
    let imports = imports(source).into_iter();
    imports.filter(|other| !may_import(room, other)).collect()
}

#[test]
fn no_room_imports_one_above_it() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut offenders = Vec::new();
    let is_source = |path: &PathBuf| path.extension().is_some_and(|end| end == "rs");
    for file in files(&sources).into_iter().filter(is_source) {
        let inside = file.strip_prefix(&sources).unwrap().with_extension("");
        let room = inside.iter().next().unwrap().to_str().unwrap();
        if matches!(room, "lib" | "main") {
            continue;
        }
        for other in offences(room, &fs::read_to_string(&file).unwrap()) {
            offenders.push(format!("{} imports {other}", inside.display()));
        }
    }
    assert_eq!(offenders, [""; 0]);
}

#[test]
fn an_offender_is_found() {
    for (room, source, expected) in [
        ("registry", "use crate::docker::Daemon;", &["docker"][..]),
        ("registry", "fn f(a: crate::aws::Session) {}", &["aws"]),
        (
            "docker",
            "use crate::{\n    image::{Digest, Tag},\n    pipeline::{Plan, ecr},\n};",
            &["pipeline"],
        ),
        (
            "config",
            "use crate::{credentials, image};\nuse crate::report::Table;",
            &["credentials", "report"],
        ),
        (
            "sandbox",
            "use crate::image::Tag;\nuse crate::failure::Kind;",
            &["failure"],
        ),
        ("pipeline", "use crate::sandbox::Sandbox;", &["sandbox"]),
        ("config", "use crate::ecr::RepositorySettings;", &[]),
        (
            "image",
            "use crate::image::Digest;\n// See crate::commands.",
            &[],
        ),
        (
            "commands",
            "use crate::{report, sandbox::{self, Sandbox}, failure::Kind};",
            &[],
        ),
    ] {
        assert_eq!(offences(room, source), expected, "{room}: {source}");
    }
}
