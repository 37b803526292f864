//! What the Docker daemon does meanwhile.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdout, Stdio};

use serde_json::Value;

use super::docker::{command, docker};
use super::image::LABEL;

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
