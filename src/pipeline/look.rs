//! Holds one image's source against its destination.

use crate::config::ImageSpecification;
use crate::event::{Event, Step};
use crate::image::{Digest, Location, Manifest, Platform};

use super::base::fetch_manifest;
use super::base_error::BaseError;
use super::conflict::{Conflict, Obstacle};
use super::derive::Derivation;
use super::docker_ends::DockerEnds;
use super::marks::Marks;
use super::observe::{Observation, Work, recipe, resolve};
use super::observe_destination::RepositoryState;
use super::observe_referrers::missing;
use super::part::{Choice, Part};
use super::referrers::{Finder, subjects};
use super::{Access, Base, Reason, StepError};

/// One image and what it is held against.
pub(super) struct Look<'a> {
    pub(super) image: &'a ImageSpecification,
    pub(super) destination: Location,
    /// The destination's; absent where it has to be created.
    pub(super) repository: Option<&'a RepositoryState>,
    /// Whether a mutable tag that holds something else is overwritten.
    pub(super) overwrite: bool,
    pub(super) finder: &'a Finder<'a>,
    pub(super) access: &'a Access,
}

impl Look<'_> {
    /// For what is built or derived, or comes from the Docker daemon: what it was made from stands in its marks.
    pub(super) async fn at_marks(&self) -> Result<Observation, StepError> {
        let held = async {
            let Some(manifest) = self.held_manifest().await? else {
                return Ok(None);
            };
            let store = &self.access.upstreams.store;
            let marks = Marks::of(store, &self.destination, &manifest).await?;
            Ok(Some((manifest.digest().clone(), marks)))
        };
        let (source, held) = futures_util::try_join!(self.resolve(), held)?;
        let marks = self.marks(&source).await?;
        let reason = match &held {
            _ if self.repository.is_none() => Reason::NewRepository,
            None => Reason::NewTag,
            Some((_, None)) => Reason::Foreign,
            Some((_, Some(held))) => Reason::compare(held, &marks),
        };
        let held = held.map(|(digest, _)| digest);
        if let Some(observation) = self.without_work(&source, held, None, &reason) {
            return Ok(observation);
        }
        let (image, upstreams) = (self.image, &self.access.upstreams);
        let mut base = Base::of(upstreams, &image.source, &source).await?;
        base.check(&image.source, &image.platforms)
            .map_err(StepError::at(Step::Resolve))?;
        if image.is_copy() {
            let work = Work::Export { base, marks };
            return Ok(Observation::Outdated { work, reason });
        }
        base.read_configurations(image, upstreams).await;
        let derivation = Derivation {
            image,
            upstreams,
            base: &base,
            marks: &marks,
        };
        let work = if derivation.is_possible()? {
            Work::Derive { base, marks }
        } else {
            self.check_ends()?;
            Work::Build { base, marks }
        };
        Ok(Observation::Outdated { work, reason })
    }

    /// Fails where Docker can neither build from the source nor push to the destination.
    pub(super) fn check_ends(&self) -> Result<(), StepError> {
        let ends = DockerEnds::of(self.image, &self.destination);
        ends.map(drop).map_err(StepError::at(Step::Render))
    }

    /// For a copy of some children of an index. Where they are all that the source has it is copied
    /// as it is; else what the copy was made from stands in its marks.
    pub(super) async fn at_choice(&self, choice: Choice<'_>) -> Result<Observation, StepError> {
        let (source, held) = futures_util::try_join!(self.resolve(), self.held_manifest())?;
        let marks = self.marks(&source).await?;
        let reason = match &held {
            _ if self.repository.is_none() => Reason::NewRepository,
            None => Reason::NewTag,
            Some(held) if *held.digest() == source && choice.is_all_of(held) => Reason::Unchanged,
            Some(held) => match Marks::annotated(held) {
                Some(held) => Reason::compare(&held, &marks),
                None if *held.digest() == source => Reason::RecipeChanged,
                None => Reason::OtherDigest {
                    held: held.digest().clone(),
                },
            },
        };
        let held = held.map(|held| held.digest().clone());
        if let Some(observation) = self.without_work(&source, held, None, &reason) {
            return self.with_referrers(observation).await;
        }
        let manifest = self.read_source(&source).await?;
        if choice.platforms.is_some() {
            self.base(&source, &manifest).await?;
        }
        let planned = choice
            .filter(&manifest, &marks)
            .map_err(|error| BaseError::Manifest {
                image: self.image.source.to_string(),
                source: error,
            })
            .map_err(StepError::at(Step::Resolve))?;
        let part = Part::Planned(planned);
        let work = Work::Copy { source, part };
        Ok(Observation::Outdated { work, reason })
    }

    /// For what is copied byte for byte: equal digests are all there is to it. A platform picked
    /// from an index has to be looked up in the index first.
    pub(super) async fn at_digest(
        &self,
        platform: Option<&Platform>,
    ) -> Result<Observation, StepError> {
        let wanted = async {
            let source = self.resolve().await?;
            let part = match platform {
                Some(platform) => self.pick(&source, platform).await?,
                None => Part::Whole,
            };
            Ok((source, part))
        };
        let held = async {
            match self.repository {
                Some(repository) => repository.digest(&self.destination, self.access).await,
                None => Ok(None),
            }
        };
        let ((source, part), held) = futures_util::try_join!(wanted, held)?;
        let digest = match &part {
            Part::One(digest) => digest,
            Part::Whole | Part::Planned(_) => &source,
        };
        let reason = match &held {
            _ if self.repository.is_none() => Reason::NewRepository,
            None => Reason::NewTag,
            Some(held) if held == digest => Reason::Unchanged,
            Some(held) => Reason::OtherDigest { held: held.clone() },
        };
        if let Some(observation) = self.without_work(&source, held, Some(digest), &reason) {
            return self.with_referrers(observation).await;
        }
        Ok(Observation::Outdated {
            work: Work::Copy { source, part },
            reason,
        })
    }

    /// A tag that holds what it should may still lack what refers to it.
    async fn with_referrers(&self, observation: Observation) -> Result<Observation, StepError> {
        let Observation::UpToDate { source, held } = &observation else {
            return Ok(observation);
        };
        let (true, Some(repository)) = (self.image.referrers, self.repository) else {
            return Ok(observation);
        };
        let Some(manifest) = self.held_manifest().await? else {
            return Ok(observation);
        };
        let (destination, subjects) = (&self.destination, subjects(source, &manifest));
        let found = self.finder.find(&self.image.source, subjects, destination);
        let lacking = missing(found.await?, repository, destination, self.access).await?;
        if lacking.is_empty() {
            return Ok(observation);
        }
        let reason = Reason::Unaccompanied {
            lacking: lacking.len(),
        };
        let (source, held) = (source.clone(), held.clone());
        let work = Work::Refer {
            source,
            held,
            lacking,
        };
        Ok(Observation::Outdated { work, reason })
    }

    /// Finds a platform's image in the source. An image that is no index is all there is.
    async fn pick(&self, source: &Digest, platform: &Platform) -> Result<Part, StepError> {
        let manifest = self.read_source(source).await?;
        self.access.observer.observe(Event::SourceRead {
            image: self.destination.clone(),
            source: self.image.source.clone(),
            platform: platform.clone(),
        });
        let base = self.base(source, &manifest).await?;
        let found = base
            .platforms
            .into_iter()
            .find(|base| base.platform == *platform);
        Ok(match found {
            Some(found) if base.is_index => Part::One(found.digest),
            _ => Part::Planned(manifest),
        })
    }

    async fn resolve(&self) -> Result<Digest, StepError> {
        resolve(&self.access.upstreams, &self.image.source).await
    }

    async fn held_manifest(&self) -> Result<Option<Manifest>, StepError> {
        match self.repository {
            Some(repository) => repository.manifest(&self.destination, self.access).await,
            None => Ok(None),
        }
    }

    /// What the tag would be marked with.
    async fn marks(&self, source: &Digest) -> Result<Marks, StepError> {
        let recipe = recipe(self.image).await?;
        Ok(Marks::new(&self.image.source, source, &recipe))
    }

    fn without_work(
        &self,
        source: &Digest,
        held: Option<Digest>,
        wanted: Option<&Digest>,
        reason: &Reason,
    ) -> Option<Observation> {
        let (source, held) = (source.clone(), held?);
        if *reason == Reason::Unchanged {
            return Some(Observation::UpToDate { source, held });
        }
        let obstacle = if self.repository?.mutability.is_immutable(&self.image.tag) {
            Obstacle::Immutable
        } else if self.overwrite {
            return None;
        } else {
            Obstacle::NoClobber
        };
        let conflict = Conflict {
            obstacle,
            held,
            wanted: wanted.cloned(),
            reason: reason.clone(),
        };
        Some(Observation::Obstructed { source, conflict })
    }

    async fn read_source(&self, source: &Digest) -> Result<Manifest, StepError> {
        fetch_manifest(&self.access.upstreams.store, &self.image.source, source).await
    }

    /// What the source offers, where that is all that is wanted.
    async fn base(&self, source: &Digest, manifest: &Manifest) -> Result<Base, StepError> {
        let Self { image, access, .. } = self;
        let base = Base::read(&access.upstreams.store, &image.source, source, manifest).await?;
        base.check(&image.source, &image.platforms)
            .map_err(StepError::at(Step::Resolve))?;
        Ok(base)
    }
}
