//! The plan: what would be done to each destination tag, and why. Pure: specification and what was
//! observed in, decisions out.

use crate::config::{ImageSpecification, LockedPattern, OnConflict, Repositories};
use crate::event::Step;
use crate::failure::{Failure, Kind};
use crate::image::{Digest, Location, Repository};

use super::observe::{Observation, Work};
use super::{Choices, Concern, Drift, Orphan, Reason, StepError, Unlisted};

/// What would be done, and why.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The repositories that would be created.
    pub create: Vec<Repository>,
    /// How destination repositories are treated.
    pub repositories: Repositories,
    /// What each entry that selects tags by patterns selected.
    pub chosen: Vec<LockedPattern>,
    /// Repositories whose tags could not be listed.
    pub unlisted: Vec<Unlisted>,
    /// One entry per destination tag, in the file's order.
    pub images: Vec<ImagePlan>,
    /// How far applying goes in what is not about images.
    pub choices: Choices,
    /// Where repositories that exist are not what the file says, by repository.
    pub drift: Vec<Drift>,
    /// What the file no longer names, or why nobody knows; absent where nobody looked.
    pub orphans: Option<Result<Vec<Orphan>, StepError>>,
}

/// The plan of one destination tag.
#[derive(Clone, Debug)]
pub struct ImagePlan {
    /// What the user wants.
    pub image: ImageSpecification,
    /// The destination tag.
    pub destination: Location,
    /// The source's digest, where it was asked for.
    pub source_digest: Option<Digest>,
    /// What would be done, or why that cannot be said.
    pub decision: Result<Decision, StepError>,
    /// What the tag holds and keeps, where it is left alone.
    pub held: Option<Digest>,
}

/// What would be done to one destination tag, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Decision {
    /// What would be done.
    pub action: Action,
    /// Why.
    pub reason: Reason,
}

/// What would be done to one destination tag.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Action {
    /// Made.
    Make(Work),
    /// Nothing: the tag holds what it should.
    Skip {
        /// What the tag holds.
        digest: Digest,
    },
    /// Nothing: the tag is immutable, holds something else, and may keep it.
    Keep {
        /// What the tag holds.
        digest: Digest,
    },
    /// Nothing: the repository does not exist and is not to be created.
    NoRepository,
}

impl Plan {
    /// Decides for every image. `observations` are in the order of the images.
    pub(super) fn new(
        images: Vec<ImageSpecification>,
        repositories: Repositories,
        destination: impl Fn(&ImageSpecification) -> Location,
        observations: Vec<Result<Observation, StepError>>,
    ) -> Self {
        let on_conflict = repositories.on_conflict;
        let images: Vec<ImagePlan> = images
            .into_iter()
            .zip(observations)
            .map(|(image, observation)| {
                let destination = destination(&image);
                ImagePlan::new(image, destination, observation, on_conflict)
            })
            .collect();
        let mut create: Vec<Repository> = images
            .iter()
            .filter(|image| matches!(image.work(), Some((_, Reason::NewRepository))))
            .map(|image| image.image.repository.clone())
            .collect();
        create.sort_unstable();
        create.dedup();
        Self {
            create,
            repositories,
            chosen: Vec::new(),
            unlisted: Vec::new(),
            images,
            choices: Choices::default(),
            drift: Vec::new(),
            orphans: None,
        }
    }

    /// Whether applying the plan needs the Docker daemon, or making it has needed it in vain.
    pub fn needs_daemon(&self) -> bool {
        self.images.iter().any(|image| match &image.decision {
            Ok(_) => matches!(
                image.work(),
                Some((Work::Build { .. } | Work::Export { .. }, _))
            ),
            Err(error) => *error.step() == Step::Connect,
        })
    }

    /// Whether applying the plan would change anything.
    pub fn has_changes(&self) -> bool {
        let repairs = self.choices.drift == Concern::Changed;
        self.images.iter().any(|image| image.work().is_some())
            || repairs && self.drift.iter().any(|drift| drift.obstacle().is_none())
            || self.prunes() && matches!(&self.orphans, Some(Ok(found)) if !found.is_empty())
    }

    /// Whether applying the plan would delete what the file no longer names: only where nothing
    /// that the file names is known to fail.
    pub fn prunes(&self) -> bool {
        self.choices.orphans == Concern::Changed
            && self.unlisted.is_empty()
            && self.images.iter().all(|image| image.decision.is_ok())
    }
}

impl ImagePlan {
    fn new(
        image: ImageSpecification,
        destination: Location,
        observation: Result<Observation, StepError>,
        on_conflict: OnConflict,
    ) -> Self {
        let source_digest = match &observation {
            Ok(seen) => seen.source().cloned(),
            Err(_) => image.source.digest().cloned(),
        };
        let held = observation.as_ref().ok().and_then(Observation::held);
        Self {
            image,
            destination,
            source_digest,
            held: held.cloned(),
            decision: observation.and_then(|seen| decide(seen, on_conflict)),
        }
    }

    /// What kind of failure keeps the image from being planned.
    pub fn failure(&self) -> Option<Kind> {
        self.decision.as_ref().err().map(Failure::kind)
    }

    /// How and why the tag would be made, where it would.
    pub fn work(&self) -> Option<(&Work, &Reason)> {
        match &self.decision {
            Ok(Decision {
                action: Action::Make(work),
                reason,
            }) => Some((work, reason)),
            _ => None,
        }
    }
}

fn decide(seen: Observation, on_conflict: OnConflict) -> Result<Decision, StepError> {
    let (action, reason) = match seen {
        Observation::NoRepository => (Action::NoRepository, Reason::NoRepository),
        Observation::UpToDate { held, .. } => (Action::Skip { digest: held }, Reason::Unchanged),
        Observation::Obstructed { conflict, .. } => return conflict.settle(on_conflict),
        Observation::Outdated { work, reason } => (Action::Make(work), reason),
    };
    Ok(Decision { action, reason })
}
