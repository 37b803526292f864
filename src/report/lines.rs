//! Events as plain lines, for logs and pipes.

use std::io::Write;

use parking_lot::Mutex;

use crate::event::{Event, Observer};

use super::Style;
use super::output_log::{LineCutter, OutputLog};
use super::wording::{describe, name};

/// Writes events to stderr as plain lines.
pub(super) struct Lines {
    style: Style,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    log: OutputLog,
    cutter: LineCutter,
}

impl Lines {
    pub(super) fn new(style: Style) -> Self {
        Self {
            style,
            state: Mutex::default(),
        }
    }
}

impl Observer for Lines {
    fn observe(&self, event: Event) {
        let mut state = self.state.lock();
        let text = state.lines(self.style, event).join("\n");
        if !text.is_empty() {
            // Nothing is left to tell when stderr is gone.
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }
}

impl State {
    fn lines(&mut self, style: Style, event: Event) -> Vec<String> {
        if let Event::Output {
            image,
            platform,
            text,
        } = event
        {
            if style == Style::Verbose {
                let lines = self.cutter.cut(&image, &platform, &text);
                let name = name(&image);
                return lines
                    .iter()
                    .map(|line| format!("{name} {platform} | {line}"))
                    .collect();
            }
            self.log.add(&image, &text);
            return Vec::new();
        }
        let log = match &event {
            Event::Failed { image, .. }
            | Event::Finished { image, .. }
            | Event::Kept { image, .. } => self.log.take(image),
            _ => Vec::new(),
        };
        describe(style, &event, &log)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::event::Step;
    use crate::image::{Digest, Location};

    fn story(style: Style) -> String {
        let image: Location = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/ecsclone/vault:1.14"
            .parse()
            .unwrap();
        let platform: crate::image::Platform = "linux/amd64".parse().unwrap();
        let output = |text: &str| Event::Output {
            image: image.clone(),
            platform: platform.clone(),
            text: text.to_owned(),
        };
        let mut state = State::default();
        let events = [
            Event::Planning { images: 2 },
            Event::RepositoryCreated {
                repository: "ecsclone/vault".parse().unwrap(),
            },
            Event::Started {
                image: image.clone(),
            },
            Event::Reached {
                image: image.clone(),
                step: Step::Build(platform.clone()),
            },
            output("Step 1/2 : FROM x\nmkdir: cannot"),
            output(" create\n"),
            Event::Postponed {
                image: image.clone(),
                reason: "timed out".to_owned(),
            },
            Event::Warning {
                image: image.clone(),
                message: "a tag stays".to_owned(),
            },
            Event::Failed {
                image: image.clone(),
                reason: "cannot build for linux/amd64: `mkdir` failed".to_owned(),
                hint: Some("mend the line".to_owned()),
            },
            Event::Finished {
                image: image.clone(),
                digest: Digest::of(b"x"),
                bytes: 12_897_485,
                elapsed: Duration::from_millis(1234),
            },
        ];
        let lines = events
            .into_iter()
            .flat_map(|event| state.lines(style, event));
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn normal() {
        insta::assert_snapshot!(story(Style::Normal));
    }

    #[test]
    fn verbose() {
        insta::assert_snapshot!(story(Style::Verbose));
    }

    #[test]
    fn quiet() {
        insta::assert_snapshot!(story(Style::Quiet));
    }
}
