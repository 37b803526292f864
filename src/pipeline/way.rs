//! One image's way.

use std::sync::Arc;

use crate::event::Event;
use crate::image::{Digest, Location, Repository};

use super::traffic::Tally;
use super::unpacked::Unpacked;

/// One image's way: where it comes from, where it goes, whether anything can be there yet, and what
/// counts it.
#[derive(Clone, Copy)]
pub(super) struct Way<'a> {
    /// What is read: of an image of the Docker daemon the layout that it was unpacked into.
    pub(super) source: &'a Location,
    pub(super) destination: &'a Location,
    /// What arrives here once is there for all images of the same repository.
    pub(super) repository: &'a Repository,
    pub(super) is_new_repository: bool,
    pub(super) tally: &'a Tally,
}

impl<'a> Way<'a> {
    /// The source's repository, where it stands in the same registry as the destination's, so that
    /// blobs may be mounted from it.
    pub(super) fn neighbour(&self) -> Option<&'a Repository> {
        let (source, destination) = (self.source.reference()?, self.destination.reference()?);
        let is_neighbour =
            source.registry == destination.registry && source.repository != destination.repository;
        is_neighbour.then_some(&source.repository)
    }

    /// The manifest of one platform of an image's source. What came out of the Docker daemon is the
    /// one that it was unpacked to.
    pub(super) fn base(&self, source: &Location, digest: &Digest) -> Location {
        match source {
            Location::Daemon(_) => self.source.clone(),
            _ => source.by_digest(digest.clone()),
        }
    }

    /// The same way, which reads what came out of the Docker daemon, where it did.
    pub(super) fn through(self, unpacked: Option<&'a Unpacked>) -> Self {
        Self {
            source: unpacked.map_or(self.source, |unpacked| &unpacked.location),
            ..self
        }
    }

    /// What shows how much has moved.
    pub(super) fn moving(&self) -> Event {
        Event::Moving {
            image: self.destination.clone(),
            volume: Arc::clone(&self.tally.volume),
        }
    }

    /// The same way, when what seemed to be there was not.
    pub(super) fn again(self) -> Self {
        Self {
            is_new_repository: false,
            ..self
        }
    }
}
