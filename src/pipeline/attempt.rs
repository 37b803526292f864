//! One try of all that a plan has to do: which images get another one, and what is said of each.

use std::time::Duration;

use crate::event::{Event, Step};
use crate::failure::{Failure, chain};
use crate::image::Digest;

use super::{ImageOutcome, ImagePlan, Status, StepError};

/// One try of what a plan has to do.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Attempt {
    /// There is another one for images that may succeed then.
    First {
        /// Whether images that lack pulls get as many tries as it takes.
        waits: bool,
    },
    /// What fails now has failed.
    Last,
}

impl Attempt {
    /// Whether an image is tried again at the end. A missing daemon was already waited for, and all
    /// images share it.
    pub(super) fn postpones(self, status: &Status) -> bool {
        match status {
            Status::Failed(error) => {
                self != Self::Last && error.kind().is_retryable() && *error.step() != Step::Connect
            }
            _ => false,
        }
    }

    /// What to say of an image when the try ends. Of one that was never touched there is nothing to
    /// say, and what many images share is told once for all.
    pub(super) fn end(self, image: &ImageOutcome, elapsed: Duration) -> Option<Event> {
        let ImageOutcome {
            plan,
            status,
            traffic,
        } = image;
        let finished = |digest: &Digest| Event::Finished {
            image: plan.destination.clone(),
            digest: digest.clone(),
            bytes: traffic.map_or(0, |traffic| traffic.bytes),
            elapsed,
        };
        let postponed = |error: &StepError| Event::Postponed {
            image: plan.destination.clone(),
            reason: error.to_string(),
        };
        match status {
            Status::Done { digest, .. } => Some(finished(digest)),
            Status::InPlace { digest } if self == Self::Last || plan.work().is_some() => {
                Some(finished(digest))
            }
            Status::InPlace { .. } | Status::Left => None,
            Status::Failed(error) if self.awaits_pulls(status) => {
                plan.decision.is_ok().then(|| postponed(error))
            }
            Status::Failed(error) if matches!(error.step(), Step::Connect | Step::Read) => None,
            Status::Failed(error) if self.postpones(status) => Some(postponed(error)),
            Status::Failed(error) => Some(failed(plan, error)),
        }
    }

    fn awaits_pulls(self, status: &Status) -> bool {
        self == Self::First { waits: true } && status.lacks_pulls()
    }
}

/// What to say of an image that failed for good.
pub(super) fn failed(plan: &ImagePlan, error: &StepError) -> Event {
    Event::Failed {
        image: plan.destination.clone(),
        reason: chain(error),
        hint: error.hint(),
    }
}
