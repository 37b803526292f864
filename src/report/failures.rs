//! Failures that a plan already knows of, told as applying it would tell them.

use crate::event::{Event, Observer};
use crate::failure::{Failure, chain};
use crate::image::Location;
use crate::pipeline::{Plan, StepError, Unlisted};

/// Tells every failure of a plan.
pub fn tell_failures(plan: &Plan, observer: &dyn Observer) {
    tell_unlisted(&plan.unlisted, observer);
    for image in &plan.images {
        if let Err(error) = &image.decision {
            tell_failure(&image.destination, error, observer);
        }
    }
}

/// Tells which repositories could not be listed.
pub fn tell_unlisted(unlisted: &[Unlisted], observer: &dyn Observer) {
    for Unlisted { source, error } in unlisted {
        tell_failure(source, error, observer);
    }
}

/// Tells that an image failed for good.
pub fn tell_failure(image: &Location, error: &StepError, observer: &dyn Observer) {
    let (image, reason, hint) = (image.clone(), chain(error), error.hint());
    observer.observe(Event::Failed {
        image,
        reason,
        hint,
    });
}
