//! What the arguments let a run see and do beyond its images.

use crate::cli::{Selection, Upkeep};
use crate::config::Specification;
use crate::pipeline::{Choices, Concern, OrphanError};

/// What `apply` does beyond its images.
pub(super) fn of_apply(upkeep: Upkeep) -> Choices {
    Choices {
        drift: concern(false, upkeep.repair_repositories),
        orphans: concern(false, upkeep.prune_orphans),
    }
}

/// What `plan` shows beyond its images. Drift is always shown, because it costs little.
pub(super) fn of_plan(upkeep: Upkeep, orphans: bool) -> Choices {
    Choices {
        drift: concern(true, upkeep.repair_repositories),
        orphans: concern(orphans, upkeep.prune_orphans),
    }
}

/// Refuses what cannot be done, before anything is asked for.
pub(super) fn check(
    choices: Choices,
    selection: &Selection,
    specification: &Specification,
) -> Result<(), OrphanError> {
    match choices.orphans {
        Concern::Ignored => Ok(()),
        Concern::Shown | Concern::Changed => {
            OrphanError::check(specification, !selection.images.is_empty())
        }
    }
}

fn concern(shows: bool, changes: bool) -> Concern {
    match (shows, changes) {
        (_, true) => Concern::Changed,
        (true, false) => Concern::Shown,
        (false, false) => Concern::Ignored,
    }
}
