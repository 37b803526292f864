//! The part of the file that a run is about.

use crate::cli::Sharding;
use crate::config::{Partition, PartitionError, Specification};
use crate::pipeline::{Choices, Concern};
use crate::report::PartitionObject;

use super::session;

/// The part that the arguments ask for; `None` for all of the file. Refuses what a part cannot do.
pub(super) fn choose(
    sharding: Sharding,
    choices: Choices,
    locks: bool,
) -> Result<Option<Partition>, PartitionError> {
    let partition = sharding.partition.resolve(&session::variable)?;
    match (partition, choices.orphans) {
        (None, _) => Ok(None),
        (Some(_), Concern::Shown | Concern::Changed) => Err(PartitionError::Orphans),
        (Some(_), Concern::Ignored) if locks => Err(PartitionError::Lock),
        (Some(_), Concern::Ignored) => Ok(partition),
    }
}

/// Keeps the images of a part, and says what it is a part of.
pub(super) fn take(
    partition: Option<Partition>,
    specification: Specification,
) -> (Specification, Option<PartitionObject>) {
    match partition {
        None => (specification, None),
        Some(partition) => {
            let object = PartitionObject::new(partition, specification.fingerprint());
            (specification.part(partition), Some(object))
        }
    }
}
