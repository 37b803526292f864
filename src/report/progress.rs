//! Events as one moving line per image, for a terminal.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::event::{Event, Observer};
use crate::image::Reference;

use super::Style;
use super::lines::{describe, name};
use super::output_log::{LineCutter, OutputLog};

/// How often a spinner turns.
const TICK: Duration = Duration::from_millis(120);

/// Shows events as one moving line per image; what is finished scrolls up as plain lines.
pub(super) struct Progress {
    lines: MultiProgress,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
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

    fn spinner(&self, image: &Reference) -> ProgressBar {
        let style = ProgressStyle::with_template("{spinner} {prefix}  {wide_msg}");
        let spinner = ProgressBar::new_spinner()
            .with_style(style.expect("a sound template"))
            .with_prefix(name(image));
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
            Event::Started { image } => {
                state
                    .running
                    .entry(image.clone())
                    .or_insert_with(|| self.spinner(image));
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
                let last = state.cutter.cut(image, platform, text).pop();
                if let (Some(line), Some(spinner)) = (last, state.running.get(image)) {
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
            Event::Planning { .. }
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
