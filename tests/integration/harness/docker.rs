//! The Docker daemon that `make test` started, through Docker's own client.

use std::collections::BTreeSet;
use std::process::Command;

use super::image::LABEL;
use super::service;

/// Where the daemon listens.
pub(crate) fn host() -> String {
    service("LONGSHORE_TEST_DOCKER_HOST")
}

/// A call of Docker's client.
pub(super) fn command(arguments: &[&str]) -> Command {
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

/// Removes what a test leaves behind. That it cannot be removed is no matter: a test that fails
/// drops it too, and a second panic would end all tests.
pub(crate) fn discard(arguments: &[&str]) {
    let _ = command(arguments).output();
}

/// The images in the daemon that are a test's or are made from them, those without a name included.
pub(crate) fn images_of(test: &str) -> BTreeSet<String> {
    let filter = format!("label={LABEL}={test}");
    let ids = docker(&["images", "--all", "--quiet", "--filter", &filter]);
    ids.lines().map(str::to_owned).collect()
}
