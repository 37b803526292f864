//! `longshore init`: what it writes works as it stands, as far as that can be.

use std::fs;
use std::path::Path;

use longshore::image::Digest;
use serde_json::Value;

use crate::documentation::language;
use crate::harness::{FileServer, Lab, Longshore, Run, Terraform, yaml};
use crate::schema;

/// A lab that has what the starters name.
fn lab() -> Lab {
    let lab = Lab::new();
    lab.offer_base("library/redis", "8");
    for tag in ["lts", "22"] {
        lab.offer_for("library/node", tag, &["linux/amd64", "linux/arm64"]);
    }
    lab.offer_base("hashicorp/vault", "1.14");
    lab
}

/// What the starter file makes.
const MADE: [&str; 4] = ["redis:8", "node:lts", "node:22", "hashicorp/vault:1.14"];

fn are_made(lab: &Lab, images: &[&str]) {
    for image in images {
        let (repository, tag) = image.split_once(':').unwrap();
        let repository = format!("hub/{repository}");
        assert!(
            lab.tags(&repository).iter().any(|found| found == tag),
            "{image}"
        );
    }
}

/// Tells the file where this lab's Docker Hub is.
fn with_upstream(lab: &Lab) {
    let path = lab.path("longshore.yaml");
    let text = fs::read_to_string(&path).unwrap();
    let upstream = lab.upstream();
    let more = format!("upstreams: {{docker.io: {{endpoint: 'http://{upstream}'}}}}\n");
    fs::write(path, text + &more).unwrap();
}

#[test]
fn the_file_is_planned_and_applied_as_it_is() {
    let lab = lab();
    let run = lab.longshore(&["init"]).run().exits(0);
    assert_eq!(run.stdout, "longshore.yaml\nlongshore.schema.json\n");
    assert_eq!(
        run.stderr,
        "next: name your images in `longshore.yaml`, then run `longshore plan`\n"
    );
    let text = fs::read_to_string(lab.path("longshore.yaml")).unwrap();
    language::yaml(&text).unwrap();
    let schema = text.lines().next().unwrap();
    let schema = schema
        .strip_prefix("# yaml-language-server: $schema=")
        .unwrap();
    let schema: Value = serde_json::from_slice(&fs::read(lab.path(schema)).unwrap()).unwrap();
    assert_eq!(schema, longshore::config::schema());

    with_upstream(&lab);
    let plan = lab.longshore(&["plan", "--output", "json"]).run().exits(0);
    assert_eq!(plan.each("status"), ["planned"; 4]);
    lab.applies(&["done"; 4]);
    are_made(&lab, &MADE);
    lab.applies(&["in place"; 4]);
}

/// What is in comments is part of what somebody begins with.
#[test]
fn the_file_is_sound_with_its_comments_taken_out() {
    let text = include_str!("../../templates/starters/longshore.yaml");
    let mut taken = 0;
    let lines = text.lines().map(|line| {
        let inner = line.trim_start();
        let indent = &line[..line.len() - inner.len()];
        let code = inner.strip_prefix("# ").filter(|code| {
            let (key, _) = code.trim_start().split_once(':').unwrap_or_default();
            !key.is_empty()
                && key
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c == '_' || c == '.')
        });
        taken += usize::from(code.is_some());
        // Rules of tags come instead of a list.
        match code {
            Some(code) if code.starts_with("tags:") => line.to_owned(),
            Some(code) => format!("{indent}{code}"),
            None => line.to_owned(),
        }
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    assert!(taken >= 6, "{text}");
    assert!(text.contains("\n    password: {env:"), "{text}");
    assert_eq!(schema::refusal(&yaml(&text)), None);
    language::yaml(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
}

#[test]
fn nothing_is_overwritten_unless_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let init = |arguments: &[&str]| {
        Longshore::new(
            folder.path(),
            &[&["init", "--directory", "there"], arguments].concat(),
        )
        .run()
    };
    let file = folder.path().join("there/longshore.yaml");
    init(&[]).exits(0);
    let written = fs::read(&file).unwrap();
    fs::write(&file, "mine").unwrap();
    let refused = init(&[]).exits(2);
    assert_eq!(refused.stdout, "");
    assert_eq!(
        refused.stderr,
        "error: `there/longshore.yaml` and `there/longshore.schema.json` are there already\n  \
         hint: name another folder with `--directory DIR`, or overwrite with `--force`\n"
    );
    fs::remove_file(folder.path().join("there/longshore.schema.json")).unwrap();
    init(&[])
        .exits(2)
        .says(&["`there/longshore.yaml` is there already"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    assert!(!folder.path().join("there/longshore.schema.json").exists());
    init(&["--force"]).exits(0);
    assert_eq!(fs::read(&file).unwrap(), written);

    fs::write(folder.path().join("file"), "").unwrap();
    let blocked = ["init", "--for", "codebuild", "--directory", "file"];
    let run = Longshore::new(folder.path(), &blocked).run().exits(1);
    run.says(&["cannot write `file/buildspec.yml`"]);
}

#[test]
fn the_buildspec_applies_the_file() {
    let path = "buildspec.yml";
    let (lab, text) = beside_the_file("codebuild", path);
    let buildspec = yaml(&text);
    let phases = ["install", "build"].map(|phase| &buildspec["phases"][phase]["commands"]);
    let commands = phases.into_iter().flat_map(|list| list.as_array().unwrap());
    // All commands of all phases share one shell, and the first that fails ends them.
    let commands: Vec<&str> = commands.map(|command| command.as_str().unwrap()).collect();
    run_scripts(&lab, &[&commands.join("\n")]);
}

#[test]
fn the_workflow_applies_the_file() {
    let path = ".github/workflows/longshore.yml";
    let (lab, text) = beside_the_file("github-actions", path);
    let workflow = yaml(&text);
    let steps = workflow["jobs"]["apply"]["steps"]
        .as_array()
        .unwrap()
        .iter();
    let scripts: Vec<&str> = steps.filter_map(|step| step["run"].as_str()).collect();
    assert_eq!(scripts.len(), 2);
    run_scripts(&lab, &scripts);
}

/// A lab with the file and one more starter, and the text of that.
fn beside_the_file(starter: &str, path: &str) -> (Lab, String) {
    let lab = lab();
    lab.longshore(&["init"]).run().exits(0);
    with_upstream(&lab);
    let run = lab.longshore(&["init", "--for", starter]).run().exits(0);
    assert_eq!(run.stdout, format!("{path}\n"));
    assert!(run.stderr.starts_with("next: "), "{}", run.stderr);
    let text = fs::read_to_string(lab.path(path)).unwrap();
    language::yaml(&text).unwrap();
    (lab, text)
}

/// Runs each script in a shell of its own, where the program is downloaded from.
fn run_scripts(lab: &Lab, scripts: &[&str]) {
    let server = FileServer::of("longshore", Longshore::SCRIPT);
    let digest = Digest::of(Longshore::SCRIPT.as_bytes());
    let run = |script: &str, digest: &str| -> Run {
        lab.call(Path::new("sh"), &["-e", "-c", script])
            .env("LONGSHORE_URL", server.url())
            .env("LONGSHORE_SHA256", digest)
            .run()
    };
    let other = Digest::of(b"another program");
    assert!(run(scripts[0], other.hex()).succeeds().is_err());
    assert!(lab.repository("hub/redis").is_none());
    for script in scripts {
        run(script, digest.hex()).exits(0);
    }
    are_made(lab, &MADE);
}

#[test]
fn terraform_applies_its_file() {
    let lab = lab();
    let run = lab
        .longshore(&["init", "--for", "terraform"])
        .run()
        .exits(0);
    assert_eq!(run.stdout, "longshore.tf\n");
    let path = lab.path("longshore.tf");
    let text = fs::read_to_string(&path).unwrap();
    language::hcl(&text).unwrap();

    let Some(terraform) = Terraform::bare("`longshore init --for terraform`") else {
        return;
    };
    let upstream = lab.upstream();
    let more =
        format!("upstreams = {{ \"docker.io\" = {{ endpoint = \"http://{upstream}\" }} }}\n");
    let text = text.replacen("    images = [", &format!("    {more}    images = ["), 1);
    fs::remove_file(path).unwrap();
    let programs = Path::new(Longshore::BINARY).parent().unwrap();
    let search = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let root = terraform.root(lab.folder(), &text, |program, arguments| {
        lab.call(program, arguments).env("PATH", &search)
    });
    root.apply(&[]).exits(0);
    are_made(&lab, &["redis:8", "hashicorp/vault:1.14"]);
    root.is_settled(&[]);
}
