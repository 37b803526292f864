//! longshore's own container image.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use serde_json::json;

use crate::harness::{Image, Lab, Longshore, Run, discard, docker};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/container-image");
const CERTIFICATES: &str = "etc/ssl/certs/ca-certificates.crt";

fn make(lab: &Lab, arguments: &[&str]) -> Run {
    lab.call_with_docker(Path::new(SCRIPT), arguments).run()
}

/// The image of the program under test, until the test ends.
struct Built {
    name: String,
}

impl Built {
    /// The name must be the test's alone; other runs may use the same daemon.
    fn new(lab: &Lab, name: &str) -> Self {
        Self::of(lab, name, Longshore::BINARY)
    }

    fn of(lab: &Lab, name: &str, program: &str) -> Self {
        let name = format!("longshore-{name}-{}:test", std::process::id());
        make(lab, &[&name, program]).exits(0);
        Self { name }
    }

    fn container(&self, options: &[&str], arguments: &[&str]) -> Container {
        Container(docker(
            &[&["create"], options, &[&self.name], arguments].concat(),
        ))
    }
}

impl Drop for Built {
    fn drop(&mut self) {
        discard(&["image", "rm", "--force", &self.name]);
    }
}

struct Container(String);

impl Container {
    fn run(&self, lab: &Lab) -> Run {
        let start = ["start", "--attach", &self.0];
        lab.call_with_docker(Path::new("docker"), &start).run()
    }

    /// Its files: whose they are, and what is in them.
    fn files(&self, lab: &Lab) -> BTreeMap<String, (u64, Vec<u8>)> {
        let path = lab.path("files.tar");
        let output = path.display().to_string();
        docker(&["export", "--output", &output, &self.0]);
        let mut archive = tar::Archive::new(File::open(path).unwrap());
        let entries = archive.entries().unwrap().map(Result::unwrap);
        let files = entries.filter(|entry| entry.header().entry_type().is_file());
        let file = |mut file: tar::Entry<'_, File>| {
            let name = file.path().unwrap().display().to_string();
            let mut content = Vec::new();
            file.read_to_end(&mut content).unwrap();
            (name, (file.header().uid().unwrap(), content))
        };
        files.map(file).collect()
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        discard(&["rm", "--force", &self.0]);
    }
}

#[test]
fn it_copies_an_image_with_nothing_but_variables() {
    let lab = Lab::new();
    let digest = lab.offer("library/redis", "8", b"a layer");
    let image = Built::new(&lab, "copies");
    let config = json!({
        "version": 1,
        "destination": {"namespace": "hub"},
        "upstreams": {"docker.io": {"endpoint": format!("http://{}", lab.upstream())}},
        "images": ["redis:8"],
    });
    // A variable without a value is that of Docker's client.
    let variables = [
        "AWS_ACCESS_KEY_ID",
        "AWS_ENDPOINT_URL",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "LONGSHORE_CONFIG",
    ];
    let variables = variables.map(|name| ["--env", name]).concat();
    // The registries are on this machine's loopback.
    let options = [&["run", "--rm", "--network", "host"], &variables[..]].concat();
    let arguments = [&options[..], &[&image.name, "apply", "--output", "json"]].concat();
    for status in ["done", "in place"] {
        let run = lab
            .call_with_docker(Path::new("docker"), &arguments)
            .env("LONGSHORE_CONFIG", config.to_string())
            .run()
            .exits(0);
        assert_eq!(run.each("status"), [status], "{run:?}");
    }
    assert_eq!(lab.digest("hub/redis", "8"), Some(digest));
}

#[test]
fn it_holds_no_shell_and_is_not_root() {
    let lab = Lab::new();
    let image = Built::new(&lab, "holds");

    // The one folder that everybody may write to.
    let container = image.container(&["--network", "none"], &["init", "--directory", "/tmp"]);
    container.run(&lab).exits(0);
    let files = container.files(&lab);
    assert_eq!(files["tmp/longshore.yaml"].0, 65532);
    let container = image.container(&["--network", "none"], &["init", "--directory", "/etc"]);
    container
        .run(&lab)
        .exits(1)
        .says(&["cannot write `/etc/longshore.yaml`: Permission denied"]);

    // What is left out are Docker's own, and the libraries of a program that is not static.
    let ours = |(name, (_, content)): (&String, &(u64, Vec<u8>))| {
        let is_ours = !content.is_empty() && !name.starts_with("tmp/") && !name.starts_with("lib");
        is_ours.then(|| name.clone())
    };
    let ours: Vec<String> = files.iter().filter_map(ours).collect();
    assert_eq!(ours, [CERTIFICATES, "longshore"]);
    let here = fs::read(Path::new("/").join(CERTIFICATES)).unwrap();
    assert!(files[CERTIFICATES].1 == here);
    let shell = image.container(&["--entrypoint", "/bin/sh"], &["-c", "true"]);
    shell.run(&lab).says(&["no such file or directory"]);
}

/// Without certificates that it trusts, longshore would say so and exit with 2.
#[test]
fn it_trusts_the_certificates_that_it_holds() {
    let lab = Lab::new();
    let image = Built::new(&lab, "trusts");
    let variables = [
        "AWS_ACCESS_KEY_ID=a",
        "AWS_SECRET_ACCESS_KEY=b",
        "AWS_REGION=eu-west-1",
        "AWS_ENDPOINT_URL=https://127.0.0.1:1",
        "LONGSHORE_CONFIG={version: 1, images: [redis]}",
    ];
    let variables = variables.map(|variable| ["--env", variable]).concat();
    let plan = |more: &[&str]| {
        let options = [&["--network", "none"], &variables[..], more].concat();
        image.container(&options, &["plan"]).run(&lab)
    };
    plan(&[]).exits(4).says(&["Connection refused"]);
    plan(&["--env", "SSL_CERT_FILE=/nothing.pem"])
        .exits(2)
        .says(&["no root certificates are trusted"]);
}

/// What the script looks at of a program for the other architecture, and that.
fn foreign_program(lab: &Lab) -> (String, &'static str) {
    let architecture = Image::foreign();
    let machine = if architecture == "arm64" { 0xb7 } else { 0x3e };
    let mut header = [0; 64];
    header[..4].copy_from_slice(b"\x7fELF");
    header[18] = machine;
    let path = lab.path("foreign");
    fs::write(&path, header).unwrap();
    (path.display().to_string(), architecture)
}

#[test]
fn its_platform_is_its_program_s() {
    let lab = Lab::new();
    let (program, architecture) = foreign_program(&lab);
    let buildx = ["buildx", "version"];
    let buildx = lab.call_with_docker(Path::new("docker"), &buildx).run();
    if buildx.succeeds().is_err() {
        let said = format!("an image for linux/{architecture} needs buildx on this machine");
        make(&lab, &["name:tag", &program]).exits(1).says(&[&said]);
        return;
    }
    let image = Built::of(&lab, "platform", &program);
    let platform = "{{.Os}}/{{.Architecture}}";
    let found = docker(&["image", "inspect", "--format", platform, &image.name]);
    assert_eq!(found, format!("linux/{architecture}"));
}

#[test]
fn what_cannot_be_made_is_told() {
    let lab = Lab::new();
    let script = lab.path("script");
    fs::write(&script, "#!/bin/sh\necho longshore\n").unwrap();
    let script = script.display().to_string();
    let (foreign, _) = foreign_program(&lab);
    let program = Longshore::BINARY;
    for (arguments, said) in [
        (&["name:tag"][..], "usage: "),
        (&["name", program], "`name` has no tag"),
        (
            &["name:tag", "nowhere/longshore"],
            "there is no program `nowhere/longshore`",
        ),
        (
            &["name:tag", &script],
            "is no program for Linux on x86-64 or arm64",
        ),
        (&["name:tag", program, program], "two programs for linux/"),
        (
            &["name:tag", &foreign, program],
            "an image for several platforms goes to a registry at once: --push",
        ),
    ] {
        make(&lab, arguments).exits(1).says(&[said]);
    }
    let run = lab
        .call_with_docker(Path::new(SCRIPT), &["name:tag", program])
        .env("LONGSHORE_CA_CERTIFICATES", "nowhere.pem")
        .run();
    run.exits(1).says(&["no certificates in `nowhere.pem`"]);
}
