//! Failures that a plan already knows of, told as applying it would tell them.

use crate::event::{Event, Observer};
use crate::failure::{Failure, chain};
use crate::image::Location;
use crate::pipeline::{Concern, Plan, StepError, Unlisted};

/// Tells every failure of a plan.
pub fn tell_failures(plan: &Plan, observer: &dyn Observer) {
    tell_unlisted(&plan.unlisted, observer);
    for image in &plan.images {
        if let Err(error) = &image.decision {
            tell_failure(&image.destination, error, observer);
        }
    }
    tell_obstacles(plan, observer);
    tell_unknown_orphans(plan, observer);
    let wishes = plan.choices.orphans == Concern::Changed;
    if wishes && !plan.prunes() && matches!(&plan.orphans, Some(Ok(found)) if !found.is_empty()) {
        observer.observe(Event::OrphansKept);
    }
}

/// Tells which settings of repositories cannot be made what the file says.
fn tell_obstacles(plan: &Plan, observer: &dyn Observer) {
    for drift in &plan.drift {
        if let Some(error) = drift.obstacle() {
            observer.observe(Event::RepositoryFailed {
                repository: drift.repository.clone(),
                reason: chain(&error),
                hint: error.hint(),
                fails: plan.choices.drift == Concern::Changed,
            });
        }
    }
}

/// Tells why it is not known what the file no longer names.
pub fn tell_unknown_orphans(plan: &Plan, observer: &dyn Observer) {
    if let Some(Err(error)) = &plan.orphans {
        observer.observe(Event::OrphansUnknown {
            reason: chain(error),
            hint: error.hint(),
        });
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
