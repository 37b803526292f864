//! What GitHub runs for this repository, as far as that can be seen without it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use longshore::image::Digest;
use serde_json::Value;

use crate::documentation::language;
use crate::harness::{Longshore, Run, yaml};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn workflows() -> Vec<PathBuf> {
    let folder = root().join(".github/workflows");
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn release() -> Value {
    let path = root().join(".github/workflows/release.yml");
    yaml(&fs::read_to_string(path).unwrap())
}

/// The scripts of a job that hold a text.
fn scripts<'a>(job: &'a Value, text: &str) -> Vec<&'a str> {
    let steps = job["steps"].as_array().unwrap().iter();
    let scripts = steps.filter_map(|step| step["run"].as_str());
    scripts.filter(|script| script.contains(text)).collect()
}

/// Their commands are understood, and their actions pinned.
#[test]
fn every_workflow_is_sound() {
    let mut names = Vec::new();
    for path in workflows() {
        let text = fs::read_to_string(&path).unwrap();
        language::yaml(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let workflow = yaml(&text);
        // What a workflow may do is said, and no more than reading by default.
        assert_eq!(
            workflow["permissions"],
            serde_json::json!({"contents": "read"})
        );
        // Nothing that somebody else may choose is pasted into a script.
        for job in workflow["jobs"].as_object().unwrap().values() {
            assert_eq!(scripts(job, "${{"), [""; 0]);
        }
        names.push(path.file_name().unwrap().to_str().unwrap().to_owned());
    }
    names.sort();
    assert_eq!(names, ["ci.yml", "release.yml"]);
}

/// The names of the files are what somebody passes to `LONGSHORE_URL`, and each is there once.
#[test]
fn a_release_has_a_program_for_each_platform() {
    let release = release();
    let programs = release["jobs"]["program"]["strategy"]["matrix"]["include"].clone();
    let text = |program: &Value, key: &str| program[key].as_str().unwrap().to_owned();
    let programs = programs.as_array().unwrap().iter();
    let programs = programs.map(|program| (text(program, "name"), text(program, "target")));
    let expected = [
        ("longshore-linux-amd64", "x86_64-unknown-linux-musl"),
        ("longshore-linux-arm64", "aarch64-unknown-linux-musl"),
        ("longshore-darwin-amd64", "x86_64-apple-darwin"),
        ("longshore-darwin-arm64", "aarch64-apple-darwin"),
    ];
    let expected = expected.map(|(name, target)| (name.to_owned(), target.to_owned()));
    assert_eq!(programs.collect::<Vec<_>>(), expected);
    let page = fs::read_to_string(root().join("README.md")).unwrap();
    for (name, _) in expected {
        assert!(page.contains(&name), "{name}");
    }
}

/// The step that names a program and writes its checksum, in a shell.
#[test]
fn a_program_and_its_checksum_are_what_modules_and_starters_take() {
    let release = release();
    let script = scripts(&release["jobs"]["program"], "shasum");
    let name_it = |tag: &str| -> (tempfile::TempDir, Run) {
        let folder = tempfile::tempdir().unwrap();
        let built = folder.path().join("target/here/release");
        fs::create_dir_all(&built).unwrap();
        let program = built.join("longshore");
        fs::write(&program, Longshore::SCRIPT).unwrap();
        fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
        let arguments = ["-e", "-c", script[0]];
        let run = Longshore::program(Path::new("bash"), folder.path(), &arguments)
            .env("NAME", "longshore-linux-amd64")
            .env("TARGET", "here")
            .env("TAG", tag)
            .run();
        (folder, run)
    };
    let (folder, run) = name_it(concat!("v", env!("CARGO_PKG_VERSION")));
    run.exits(0);
    let checksum = fs::read_to_string(folder.path().join("longshore-linux-amd64.sha256")).unwrap();
    let digest = Digest::of(Longshore::SCRIPT.as_bytes());
    assert_eq!(
        checksum,
        format!("{}  longshore-linux-amd64\n", digest.hex())
    );

    let (folder, run) = name_it("v9.9.9");
    run.exits(1);
    assert!(!folder.path().join("longshore-linux-amd64.sha256").exists());
}

/// The tag that pull-sync's task runs by default; no trial becomes it.
#[test]
fn the_image_of_a_release_is_the_latest() {
    let variables = root().join("terraform/pull-sync/variables.tf");
    let variables = fs::read_to_string(variables).unwrap();
    let (_, input) = variables.split_once("\"task_image_tag\"").unwrap();
    let (input, _) = input.split_once('}').unwrap();
    assert!(input.contains("default     = \"latest\""), "{input}");

    let release = release();
    let script = scripts(&release["jobs"]["image"], ":latest");
    let folder = tempfile::tempdir().unwrap();
    let docker = folder.path().join("docker");
    fs::write(&docker, "#!/bin/sh\necho \"$@\"\n").unwrap();
    fs::set_permissions(docker, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!(
        "{}:{}",
        folder.path().display(),
        std::env::var("PATH").unwrap()
    );
    let arguments = ["-e", "-c", script[0]];
    let run = Longshore::program(Path::new("bash"), folder.path(), &arguments)
        .env("PATH", path)
        .env("GH_REPO", "Acme/longshore")
        .env("TAG", "v1.2.3")
        .run();
    assert_eq!(
        run.exits(0).stdout,
        "buildx imagetools create --tag ghcr.io/acme/longshore:latest ghcr.io/acme/longshore:1.2.3\n"
    );
    let steps = release["jobs"]["image"]["steps"].as_array().unwrap();
    let step = steps.iter().find(|step| step["run"] == script[0]).unwrap();
    assert_eq!(step["if"], "${{ !contains(github.ref_name, '-') }}");
}

/// The newest version in the change log is that of the program.
#[test]
fn the_change_log_knows_this_version() {
    let page = fs::read_to_string(root().join("CHANGELOG.md")).unwrap();
    let versions = page.lines().filter_map(|line| line.strip_prefix("## ["));
    let versions: Vec<&str> = versions
        .filter_map(|rest| Some(rest.split_once(']')?.0))
        .collect();
    let newest = versions.iter().find(|version| **version != "Unreleased");
    assert_eq!(newest, Some(&env!("CARGO_PKG_VERSION")), "{versions:?}");
}
