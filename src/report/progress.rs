//! Events as one moving line per image, for a terminal.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::event::{Event, Observer};
use crate::image::Reference;

use super::Style;
use super::lines::{count, describe, name};
use super::output_log::{LineCutter, OutputLog};

/// How often a spinner turns.
const TICK: Duration = Duration::from_millis(120);

/// Shows events as one moving line per image; what is finished scrolls up as plain lines. Dropping
/// it leaves no moving line behind.
pub(super) struct Progress {
    lines: MultiProgress,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    planning: Option<ProgressBar>,
    running: BTreeMap<Reference, ProgressBar>,
    log: OutputLog,
    cutter: LineCutter,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self {
            lines: MultiProgress::new(),
            state: Mutex::default(),
        }
    }

    fn spinner(&self, prefix: String) -> ProgressBar {
        let style = ProgressStyle::with_template("{spinner} {prefix}  {elapsed}  {wide_msg}");
        let spinner = ProgressBar::new_spinner()
            .with_style(style.expect("a sound template"))
            .with_prefix(prefix);
        let spinner = self.lines.add(spinner);
        spinner.enable_steady_tick(TICK);
        spinner
    }
}

impl Observer for Progress {
    fn observe(&self, event: Event) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut log = Vec::new();
        match &event {
            Event::Planning { images } => {
                let looking = format!("looking at {}", count(*images, "image"));
                state.planning = Some(self.spinner(looking));
            }
            Event::Planned => {
                if let Some(spinner) = state.planning.take() {
                    spinner.finish_and_clear();
                }
            }
            Event::Started { image } => {
                let spinner = || self.spinner(name(image));
                state.running.entry(image.clone()).or_insert_with(spinner);
            }
            Event::Reached { image, step } => {
                if let Some(spinner) = state.running.get(image) {
                    spinner.set_message(step.to_string());
                }
            }
            Event::Output {
                image,
                platform,
                text,
            } => {
                state.log.add(image, text);
                let mut lines = state.cutter.cut(image, platform, text);
                lines.retain(|line| !is_chatter(line));
                if let (Some(line), Some(spinner)) = (lines.pop(), state.running.get(image)) {
                    spinner.set_message(line);
                }
            }
            Event::Finished { image, .. }
            | Event::Failed { image, .. }
            | Event::Postponed { image, .. } => {
                if let Some(spinner) = state.running.remove(image) {
                    spinner.finish_and_clear();
                }
                // The first try's output is shown with the last one's, should that fail too.
                if !matches!(event, Event::Postponed { .. }) {
                    log = state.log.take(image);
                }
            }
            Event::Selected { .. }
            | Event::SourceRead { .. }
            | Event::Paused { .. }
            | Event::PullsLeft { .. }
            | Event::NoDocker { .. }
            | Event::RepositoryCreated { .. }
            | Event::Warning { .. } => {}
        }
        let text = describe(Style::Normal, &event, &log).join("\n");
        if !text.is_empty() {
            // Nothing is left to tell when stderr is gone.
            let _ = self.lines.println(text);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        // Nothing is left to clear when stderr is gone.
        let _ = self.lines.clear();
    }
}

/// What the classic builder says of its own containers.
fn is_chatter(line: &str) -> bool {
    [" ---> ", "Removing intermediate", "Removed intermediate"]
        .iter()
        .any(|beginning| line.starts_with(beginning))
}
