//! Events in the words of a log.

use std::num::NonZeroUsize;

use crate::event::Event;
use crate::failure::{Failure, chain};
use crate::image::{Location, Reference, Registry};

use super::Style;
use super::quantity::{bytes, count, seconds};

/// An event in the words of a log, with an image's whole output where it failed.
pub(super) fn describe(style: Style, event: &Event, log: &[String]) -> Vec<String> {
    if !shows(style, event) {
        return Vec::new();
    }
    match event {
        Event::Planning { images } => vec![format!("looking at {}", count(*images, "image"))],
        Event::NoDocker { reason, hint } | Event::OrphansUnknown { reason, hint } => {
            error_lines(reason, hint.as_deref())
        }
        Event::RepositoryCreated { repository } => {
            vec![format!("{repository}: repository created")]
        }
        Event::RepositoryRepaired {
            repository,
            setting,
        } => vec![format!("{repository}: {setting} updated")],
        Event::RepositoryFailed {
            repository,
            reason,
            hint,
            fails,
        } => {
            let mut lines = error_lines(&format!("{repository}: {reason}"), hint.as_deref());
            if !fails {
                lines[0] = format!("warning: {repository}: {reason}");
            }
            lines
        }
        Event::OrphansKept => vec![
            "warning: what the file no longer names stays, because not everything else is in place"
                .to_owned(),
        ],
        Event::Deleting { name, digest } => {
            let held = digest.as_ref().map(|digest| format!(" ({digest})"));
            let held = held.unwrap_or_default();
            vec![format!(
                "deleting {name}{held}, which the file does not name"
            )]
        }
        Event::Started { image } => vec![format!("{}: started", name(image))],
        Event::Reached { image, step } => vec![format!("{}: {step}", name(image))],
        Event::Selected {
            source,
            repository,
            listed,
            kept,
        } => {
            let rules = kept
                .iter()
                .map(|(rule, kept)| format!("`{rule}` keeps {kept}"));
            let rules = rules.collect::<Vec<_>>().join(", ");
            let warning = if is_empty(kept) {
                "warning: no tag is left: "
            } else {
                ""
            };
            vec![format!(
                "{warning}{} for {repository}: {}, of which {rules}",
                source.familiar(),
                count(*listed, "tag")
            )]
        }
        Event::SourceRead {
            image,
            source,
            platform,
        } => vec![format!(
            "{}: read the manifest of {} to find {platform}, which a limit on pulls counts as one",
            name(image),
            source.familiar()
        )],
        Event::ThroughCache { upstreams } => {
            let names: Vec<&str> = upstreams.iter().map(Registry::as_str).collect();
            vec![format!(
                "read through ECR's pull-through cache, so up to 24 hours old: {}",
                names.join(", ")
            )]
        }
        Event::Paused { registry, pause } => {
            let pause = seconds(*pause);
            vec![format!(
                "{registry} wants fewer requests; all of them wait {pause}"
            )]
        }
        Event::PullsLeft {
            registry,
            remaining,
            limit,
            window,
        } => {
            let hours = window.as_secs().div_ceil(3600);
            let pulls = count(usize::try_from(*limit).unwrap_or(usize::MAX), "pull");
            vec![format!(
                "{registry} allows {remaining} of {pulls} in {hours} h"
            )]
        }
        Event::PullsShort {
            registry,
            needed,
            remaining,
            sharers,
            remedy,
            images,
            waits,
        } => {
            let images = match images {
                // The daemon may have the bases already.
                0 => "what Docker builds".to_owned(),
                number => count(*number, "image"),
            };
            let yet = if *waits { " yet" } else { "" };
            let (each, fewer) = match *sharers {
                NonZeroUsize::MIN => (String::new(), "name fewer images"),
                sharers => (
                    format!(" to each of {sharers} partitions"),
                    "use fewer partitions",
                ),
            };
            let mut lines = vec![format!(
                "warning: {registry} allows {remaining} more pulls{each} and about {needed} are \
                 needed: not enough for {images}{yet}"
            )];
            if !waits {
                lines.push(format!(
                    "  hint: {remedy}, let `apply --wait` wait, or {fewer}"
                ));
            }
            lines
        }
        Event::PullsAwaited { registry, at_most } => {
            let minutes = at_most.as_secs().div_ceil(60);
            vec![format!(
                "waiting until {registry} allows more pulls, for at most {minutes} min"
            )]
        }
        Event::Planned
        | Event::Applying { .. }
        | Event::Applied
        | Event::Moving { .. }
        | Event::Output { .. } => Vec::new(),
        Event::Postponed { image, reason } => {
            vec![format!(
                "{}: {reason}; it will be tried again at the end",
                name(image)
            )]
        }
        Event::Warning { image, message } => vec![format!("warning: {}: {message}", name(image))],
        Event::Kept { image, digest } => vec![format!(
            "warning: {}: is immutable and keeps `{digest}`, which it got after it was looked at",
            name(image)
        )],
        Event::Finished {
            image,
            bytes: moved,
            elapsed,
            ..
        } => {
            let moved = match moved {
                0 => String::new(),
                moved => format!(", {}", bytes(*moved)),
            };
            vec![format!(
                "{}: done{moved} in {}",
                name(image),
                seconds(*elapsed)
            )]
        }
        Event::Failed {
            image,
            reason,
            hint,
        } => {
            let mut lines: Vec<String> = log
                .iter()
                .map(|line| format!("{} | {line}", name(image)))
                .collect();
            lines.extend(error_lines(&format!("{image}: {reason}"), hint.as_deref()));
            lines
        }
    }
}

/// Whether an event is told at all.
fn shows(style: Style, event: &Event) -> bool {
    match event {
        Event::NoDocker { .. }
        | Event::Failed { .. }
        | Event::RepositoryFailed { .. }
        | Event::OrphansUnknown { .. }
        | Event::OrphansKept
        | Event::Deleting { .. }
        | Event::Warning { .. }
        | Event::Kept { .. }
        | Event::PullsShort { .. }
        | Event::Postponed { .. } => true,
        // A pattern with a slip of the pen would be silent otherwise.
        Event::Selected { kept, .. } if is_empty(kept) => true,
        Event::Finished { .. }
        | Event::RepositoryCreated { .. }
        | Event::RepositoryRepaired { .. }
        | Event::ThroughCache { .. }
        | Event::Paused { .. }
        | Event::PullsLeft { .. }
        | Event::PullsAwaited { .. } => style != Style::Quiet,
        _ => style == Style::Verbose,
    }
}

/// Whether a selection of tags left none.
fn is_empty(kept: &[(&'static str, usize)]) -> bool {
    kept.last().is_some_and(|(_, kept)| *kept == 0)
}

/// An error and its remedy, as every command prints them.
pub fn error_lines(message: &str, hint: Option<&str>) -> Vec<String> {
    let mut lines = vec![format!("error: {message}")];
    lines.extend(hint.map(|hint| format!("  hint: {hint}")));
    lines
}

/// An error with its causes and its remedy.
pub fn error_text(error: &dyn Failure) -> String {
    error_lines(&chain(error), error.hint().as_deref()).join("\n")
}

/// An image's name inside its registry, which is the same for all of a run.
pub(super) fn name(image: &Location) -> String {
    match image {
        Location::Registry(Reference {
            repository, tag, ..
        }) => match tag {
            Some(tag) => format!("{repository}:{tag}"),
            None => repository.to_string(),
        },
        Location::Layout(_) | Location::Daemon(_) => image.to_string(),
    }
}
