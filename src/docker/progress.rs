//! What BuildKit tells of its steps.

use std::collections::{HashMap, HashSet};

use bollard::moby::buildkit::v1::{StatusResponse, Vertex, VertexLog};

use super::build;
use super::error::{Error, Task};
use super::last_line::LastLine;
use super::printout::Printout;

/// What BuildKit does for itself begins so.
const INTERNAL: &str = "[internal]";

/// Shows BuildKit's steps one after the other, as the classic builder does, and remembers what an
/// error may need.
pub(super) struct Progress<'a> {
    printout: Printout<'a>,
    /// What each step printed, by the step's digest.
    printed: HashMap<String, LastLine>,
    /// The steps that were told of.
    told: HashSet<String>,
    /// The step that printed last.
    latest: String,
    /// The step that failed.
    failed: Option<String>,
}

impl<'a> Progress<'a> {
    pub(super) fn new(printout: Printout<'a>) -> Self {
        Self {
            printout,
            printed: HashMap::new(),
            told: HashSet::new(),
            latest: String::new(),
            failed: None,
        }
    }

    /// Shows what is new. BuildKit repeats a step whenever its state changes.
    pub(super) fn show(&mut self, news: &StatusResponse) {
        for step in &news.vertexes {
            self.step(step);
        }
        for log in &news.logs {
            self.log(log);
        }
    }

    /// Adds to an error what the failed step printed.
    pub(super) fn explain(mut self, error: bollard::errors::Error) -> Error {
        let failed = self.failed.unwrap_or(self.latest);
        let mut printed = self.printed.remove(&failed).unwrap_or_default();
        build::explain(Error::of(Task::Build, error), &mut printed)
    }

    fn step(&mut self, step: &Vertex) {
        // What is stopped because another step failed has an error too.
        if !step.error.is_empty() && !step.error.contains("context canceled") {
            self.failed.get_or_insert_with(|| step.digest.clone());
        }
        let begins = step.started.is_some() || step.cached;
        if !begins || step.name.starts_with(INTERNAL) || !self.told.insert(step.digest.clone()) {
            return;
        }
        self.turn_to("");
        let cached = if step.cached { " (cached)" } else { "" };
        self.printout.pass(&format!("{}{cached}\n", step.name));
    }

    fn log(&mut self, log: &VertexLog) {
        self.turn_to(&log.vertex);
        let text = self.printout.pass(&String::from_utf8_lossy(&log.msg));
        let printed = self.printed.entry(log.vertex.clone()).or_default();
        printed.add(&text);
    }

    /// Ends the line of the step that printed last, where another one goes on behind it.
    fn turn_to(&mut self, step: &str) {
        if step != self.latest {
            let latest = self.printed.get_mut(&self.latest);
            if let Some(latest) = latest.filter(|latest| latest.is_open()) {
                latest.end();
                self.printout.pass("\n");
            }
            step.clone_into(&mut self.latest);
        }
    }
}
