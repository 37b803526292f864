//! Events as one moving line per image, for a terminal.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use parking_lot::Mutex;

use crate::docker::is_chatter;
use crate::event::{Event, Observer, Volume};
use crate::image::Location;

use super::Style;
use super::gauge::Gauge;
use super::output_log::{LineCutter, OutputLog};
use super::quantity::count;
use super::wording::{describe, name};

/// How often a spinner turns.
const TICK: Duration = Duration::from_millis(120);

/// A line that shows what happens in words.
const IN_WORDS: &str = "{spinner} {prefix}  {elapsed}  {wide_msg}";

/// A line that shows what moves in bytes.
const IN_BYTES: &str = "{spinner} {prefix}  {elapsed}  {gauge}";

/// Shows events as one moving line per image and, for several images, one for all; what is
/// finished scrolls up as plain lines. Dropping it leaves no moving line behind.
pub(super) struct Progress {
    lines: MultiProgress,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    planning: Option<ProgressBar>,
    running: BTreeMap<Location, Running>,
    total: Option<Total>,
    log: OutputLog,
    cutter: LineCutter,
}

/// An image that is worked on.
struct Running {
    line: ProgressBar,
    volume: Option<Arc<Volume>>,
}

/// All images together.
struct Total {
    line: ProgressBar,
    gauge: Gauge,
    images: usize,
    ended: usize,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self {
            lines: MultiProgress::new(),
            state: Mutex::default(),
        }
    }

    /// A moving line, above the one for all.
    fn line(&self, state: &State, style: ProgressStyle, prefix: String) -> ProgressBar {
        let line = ProgressBar::new_spinner()
            .with_style(style)
            .with_prefix(prefix);
        let line = match &state.total {
            Some(total) => self.lines.insert_before(&total.line, line),
            None => self.lines.add(line),
        };
        line.enable_steady_tick(TICK);
        line
    }

    fn start(&self, state: &mut State, image: &Location) {
        if state.running.contains_key(image) {
            return;
        }
        let line = self.line(state, style(IN_WORDS), name(image));
        let volume = None;
        state
            .running
            .insert(image.clone(), Running { line, volume });
    }

    fn total(&self, state: &State, images: usize) -> Total {
        let gauge = Gauge::default();
        let total = Total {
            line: self.line(state, style_in_bytes(&gauge), String::new()),
            gauge,
            images,
            ended: 0,
        };
        total.count();
        total
    }
}

impl State {
    /// An image's line is no longer needed.
    fn end(&mut self, image: &Location, arrived: bool) {
        let Some(Running { line, volume }) = self.running.remove(image) else {
            return;
        };
        line.finish_and_clear();
        if let Some(total) = &mut self.total {
            total.ended += 1;
            total.count();
            if let (Some(volume), false) = (volume, arrived) {
                total.gauge.remove(&volume);
            }
        }
    }
}

impl Total {
    fn count(&self) {
        let Self { images, ended, .. } = self;
        self.line.set_prefix(format!("{ended} of {images} images"));
    }
}

impl Observer for Progress {
    fn observe(&self, event: Event) {
        let mut state = self.state.lock();
        let state = &mut *state;
        let mut log = Vec::new();
        match &event {
            Event::Planning { images } => {
                let looking = format!("looking at {}", count(*images, "image"));
                state.planning = Some(self.line(state, style(IN_WORDS), looking));
            }
            Event::Planned => {
                if let Some(line) = state.planning.take() {
                    line.finish_and_clear();
                }
            }
            Event::Applying { images } if *images > 1 => {
                state.total = Some(self.total(state, *images));
            }
            Event::Applied => {
                if let Some(total) = state.total.take() {
                    total.line.finish_and_clear();
                }
            }
            Event::Started { image } => self.start(state, image),
            Event::Reached { image, step } => {
                if let Some(running) = state.running.get(image) {
                    running.line.set_message(step.to_string());
                }
            }
            Event::Moving { image, volume } => {
                if let Some(total) = &state.total {
                    total.gauge.add(volume);
                }
                if let Some(running) = state.running.get_mut(image) {
                    let gauge = Gauge::default();
                    gauge.add(volume);
                    running.line.set_style(style_in_bytes(&gauge));
                    running.volume = Some(Arc::clone(volume));
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
                if let (Some(line), Some(running)) = (lines.pop(), state.running.get(image)) {
                    running.line.set_message(line);
                }
            }
            Event::Finished { image, .. }
            | Event::Failed { image, .. }
            | Event::Kept { image, .. }
            | Event::Postponed { image, .. } => {
                state.end(image, matches!(event, Event::Finished { .. }));
                // The first try's output is shown with the last one's, should that fail too.
                if !matches!(event, Event::Postponed { .. }) {
                    log = state.log.take(image);
                }
            }
            Event::Applying { .. }
            | Event::Selected { .. }
            | Event::SourceRead { .. }
            | Event::Paused { .. }
            | Event::ThroughCache { .. }
            | Event::PullsLeft { .. }
            | Event::PullsShort { .. }
            | Event::PullsAwaited { .. }
            | Event::NoDocker { .. }
            | Event::RepositoryCreated { .. }
            | Event::RepositoryRepaired { .. }
            | Event::RepositoryFailed { .. }
            | Event::OrphansUnknown { .. }
            | Event::OrphansKept
            | Event::Deleting { .. }
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

fn style_in_bytes(gauge: &Gauge) -> ProgressStyle {
    style(IN_BYTES).with_key("gauge", gauge.clone())
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("a sound template")
}
