//! What became of a plan.

use std::time::Duration;

use crate::failure::{Failure, Kind};
use crate::image::{Digest, Repository};

use super::{ImagePlan, Pruned, Repair, StepError, Traffic, Unlisted};

/// What became of a plan.
#[derive(Debug)]
pub struct Outcome {
    /// The repositories that were created.
    pub created: Vec<Repository>,
    /// Repositories whose tags could not be listed.
    pub unlisted: Vec<Unlisted>,
    /// One entry per destination tag, in the plan's order.
    pub images: Vec<ImageOutcome>,
    /// What became of settings that were not what the file says.
    pub repairs: Vec<Repair>,
    /// What became of what the file no longer names, or why nobody knows what that is; absent
    /// where nobody looked.
    pub pruned: Option<Result<Vec<Pruned>, StepError>>,
}

impl Outcome {
    /// What all copies took.
    pub fn traffic(&self) -> Traffic {
        let mut sum = Traffic::default();
        for traffic in self.images.iter().filter_map(|image| image.traffic) {
            sum += traffic;
        }
        sum
    }

    /// What became of each thing that the file no longer names.
    pub fn pruned(&self) -> impl Iterator<Item = &Pruned> {
        self.pruned.iter().flatten().flatten()
    }
}

/// What became of one destination tag.
#[derive(Debug)]
pub struct ImageOutcome {
    /// What was planned.
    pub plan: ImagePlan,
    /// What became of it.
    pub status: Status,
    /// What it took, where it was copied; all tries together.
    pub traffic: Option<Traffic>,
}

impl ImageOutcome {
    /// Takes what became of another try.
    pub(super) fn try_again(&mut self, mut again: Self) {
        if let Some(before) = self.traffic {
            *again.traffic.get_or_insert_default() += before;
        }
        *self = again;
    }
}

/// What became of one destination tag.
#[derive(Clone, Debug)]
pub enum Status {
    /// It was made, and this is its digest.
    Done {
        /// The digest that the tag has now.
        digest: Digest,
        /// How long it took.
        elapsed: Duration,
    },
    /// It already held what it should.
    InPlace {
        /// The digest that the tag has.
        digest: Digest,
    },
    /// It was left as it is, as the user wishes: an immutable tag that keeps what it holds, or a
    /// repository that is not to be created.
    Left,
    /// It failed.
    Failed(StepError),
}

impl Status {
    /// Whether the image failed because a registry allows no more pulls.
    pub(super) fn lacks_pulls(&self) -> bool {
        matches!(self, Self::Failed(error) if error.kind() == Kind::Exhausted)
    }
}
