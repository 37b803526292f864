//! The Docker daemon that `make test` started, through Docker's own client.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::image::LABEL;
use super::service;

/// Where the daemon listens.
pub(crate) fn host() -> String {
    service("LONGSHORE_TEST_DOCKER_HOST")
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new("docker");
    command.args(["--host", &host()]).args(arguments);
    command
}

/// Runs Docker's client and returns what it printed.
pub(crate) fn docker(arguments: &[&str]) -> String {
    let output = command(arguments).output().unwrap();
    assert!(output.status.success(), "docker {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The images in the daemon that are a test's or are made from them, those without a name included.
pub(crate) fn images_of(test: &str) -> BTreeSet<String> {
    let filter = format!("label={LABEL}={test}");
    let ids = docker(&["images", "--all", "--quiet", "--filter", &filter]);
    ids.lines().map(str::to_owned).collect()
}

/// Pulls an image from a private registry, without leaving the login behind.
pub(crate) fn pull(name: &str, username: &str, password: &str) {
    let (host, _) = name.split_once('/').unwrap();
    let folder = tempfile::tempdir().unwrap();
    let auth = STANDARD.encode(format!("{username}:{password}"));
    let config = serde_json::json!({"auths": {host: {"auth": auth}}});
    std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
    let folder = folder.path().display().to_string();
    docker(&["--config", &folder, "pull", "--quiet", name]);
}

/// What the daemon does with the images of one test, and with all that is made from them: they
/// carry the test's label.
pub(crate) struct Events {
    test: String,
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Events {
    pub(crate) fn of(test: &str) -> Self {
        let since = docker(&["info", "--format", "{{.SystemTime}}"]);
        let filter = format!("label={LABEL}={test}");
        let mut child = command(&["events", "--format", "{{json .}}"])
            .args(["--since", &since, "--filter", &filter])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self {
            test: test.to_owned(),
            child,
            lines,
        }
    }

    /// The actions since the last call, such as `pull`, `create`, `push`.
    pub(crate) fn actions(&mut self) -> Vec<String> {
        // An image of our own comes and goes, so that all events before it have been read.
        let mark = self.import();
        docker(&["image", "rm", &mark]);
        let mut actions = Vec::new();
        loop {
            match self.next() {
                (image, action) if image == mark && action == "untag" => return actions,
                (image, _) if image == mark => {}
                (_, action) => actions.push(action),
            }
        }
    }

    /// Waits until the daemon has done this.
    pub(crate) fn wait_for(&mut self, action: &str) {
        while self.next().1 != action {}
    }

    /// Waits for the next event: what it happened to, and what happened.
    fn next(&mut self) -> (String, String) {
        let mut line = String::new();
        assert_ne!(
            self.lines.read_line(&mut line).unwrap(),
            0,
            "no more events"
        );
        let event: Value = serde_json::from_str(&line).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&event["Actor"]["ID"]), text(&event["Action"]))
    }

    /// Makes an empty image with the test's label and returns its ID.
    fn import(&self) -> String {
        let change = format!("LABEL {LABEL}={}", self.test);
        let name = format!("{}:mark", self.test);
        let mut child = command(&["import", "--change", &change, "-", &name])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // Two blocks of zeros are an empty archive.
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(&[0; 1024]).unwrap();
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn events_are_those_of_the_test_alone() {
    let [mut ours, mut theirs] = ["events-ours", "events-theirs"].map(Events::of);
    let image = ours.import();
    docker(&["tag", &image, "events-ours:2"]);
    docker(&["image", "rm", "--force", &image]);
    assert_eq!(ours.actions(), ["tag", "import", "tag", "untag", "untag"]);
    assert_eq!(ours.actions(), [""; 0]);
    assert_eq!(theirs.actions(), [""; 0]);
}
