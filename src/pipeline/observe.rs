//! Looks at source and destination of every image, in parallel, and asks no more than the plan
//! needs: an unchanged image costs one HEAD at its source.

use futures_util::stream::{self, StreamExt};

use crate::config::{Attestations, ImageSpecification};
use crate::dockerfile::{Recipe, RenderError};
use crate::event::{Event, Step};
use crate::failure::{Failure, Kind};
use crate::image::{Digest, Manifest, Platform, Reference};

use super::base::{BaseError, fetch_manifest};
use super::marks::{Marks, base_name};
use super::observe_destination::{RepositoryState, observe_repositories};
use super::part::{Choice, Part, Wanted};
use super::{Access, Base, Reason, StepError, Upstreams};

/// Small questions asked together, of registries and of ECR's API.
pub(super) const PARALLEL_QUESTIONS: usize = 16;

/// What was seen of one image.
#[derive(Clone, Debug)]
pub(super) enum Observation {
    /// The destination repository does not exist and is not to be created.
    NoRepository,
    /// The tag holds what it should.
    UpToDate {
        /// The source's digest.
        source: Digest,
        /// What the tag holds.
        held: Digest,
    },
    /// The tag holds something else and cannot be overwritten.
    Immutable {
        /// The source's digest.
        source: Digest,
        /// What the tag holds.
        held: Digest,
        /// What differs.
        reason: Reason,
    },
    /// The tag has to be made.
    Outdated {
        /// How.
        work: Work,
        /// Why.
        reason: Reason,
    },
}

/// How a destination tag is made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Work {
    /// Built from this base.
    Build {
        /// The upstream image.
        base: Base,
        /// What the result will carry.
        marks: Marks,
    },
    /// Copied.
    Copy {
        /// The digest of the source.
        source: Digest,
        /// Which part of it.
        part: Part,
    },
}

impl Work {
    /// The source's digest.
    pub(super) fn source(&self) -> &Digest {
        match self {
            Self::Build { base, .. } => &base.digest,
            Self::Copy { source, .. } => source,
        }
    }
}

impl Observation {
    /// The source's digest, where it was asked for.
    pub(super) fn source(&self) -> Option<&Digest> {
        match self {
            Self::NoRepository => None,
            Self::UpToDate { source, .. } | Self::Immutable { source, .. } => Some(source),
            Self::Outdated { work, .. } => Some(work.source()),
        }
    }
}

/// The Dockerfile cannot be rendered from the image's template.
#[derive(Debug, thiserror::Error)]
#[error("the Dockerfile cannot be made")]
pub(super) struct TemplateError(#[from] RenderError);

impl Failure for TemplateError {
    fn kind(&self) -> Kind {
        Kind::Permanent
    }
}

/// Looks at every image; the answers are in the images' order.
pub(super) async fn observe(
    images: &[ImageSpecification],
    create: bool,
    access: &Access,
) -> Vec<Result<Observation, StepError>> {
    let repositories = observe_repositories(images, access).await;
    stream::iter(images)
        .map(|image| observe_image(image, &repositories[&image.repository], create, access))
        .buffered(PARALLEL_QUESTIONS)
        .collect()
        .await
}

async fn observe_image(
    image: &ImageSpecification,
    repository: &Result<Option<RepositoryState>, StepError>,
    create: bool,
    access: &Access,
) -> Result<Observation, StepError> {
    let repository = repository.as_ref().map_err(Clone::clone)?.as_ref();
    if repository.is_none() && !create {
        return Ok(Observation::NoRepository);
    }
    let look = Look {
        image,
        repository,
        access,
    };
    if !image.is_copy() {
        return look.at_marks().await;
    }
    match Wanted::of(image) {
        Wanted::Whole => look.at_digest(None).await,
        Wanted::One(platform) => look.at_digest(Some(platform)).await,
        Wanted::Chosen(choice) => look.at_choice(choice).await,
    }
}

/// One image and what it is held against.
struct Look<'a> {
    image: &'a ImageSpecification,
    repository: Option<&'a RepositoryState>,
    access: &'a Access,
}

impl Look<'_> {
    /// For what is built: what it was made from stands in its marks.
    async fn at_marks(&self) -> Result<Observation, StepError> {
        let held = async {
            let Some(manifest) = self.held_manifest().await? else {
                return Ok(None);
            };
            let tag = self.destination();
            let marks = Marks::of(&self.access.upstreams.client, &tag, &manifest).await?;
            Ok(Some((manifest.digest().clone(), marks)))
        };
        let (source, held) = futures_util::try_join!(self.resolve(), held)?;
        let marks = self.marks(&source)?;
        let reason = match &held {
            _ if self.repository.is_none() => Reason::NewRepository,
            None => Reason::NewTag,
            Some((_, None)) => Reason::Foreign,
            Some((_, Some(held))) => Reason::compare(held, &marks),
        };
        let held = held.map(|(digest, _)| digest);
        if let Some(observation) = self.without_work(&source, held, &reason) {
            return Ok(observation);
        }
        let manifest = self.read_source(&source).await?;
        let base = self.base(&source, &manifest).await?;
        let work = Work::Build { base, marks };
        Ok(Observation::Outdated { work, reason })
    }

    /// For a copy of some children of an index. Where they are all that the source has it is copied
    /// as it is; else what the copy was made from stands in its marks.
    async fn at_choice(&self, choice: Choice<'_>) -> Result<Observation, StepError> {
        let (source, held) = futures_util::try_join!(self.resolve(), self.held_manifest())?;
        let marks = self.marks(&source)?;
        let reason = match &held {
            _ if self.repository.is_none() => Reason::NewRepository,
            None => Reason::NewTag,
            Some(held) if *held.digest() == source && choice.is_all_of(held) => Reason::Unchanged,
            Some(held) => match Marks::annotated(held) {
                Some(held) => Reason::compare(&held, &marks),
                None => Reason::OtherDigest {
                    held: held.digest().clone(),
                },
            },
        };
        let held = held.map(|held| held.digest().clone());
        if let Some(observation) = self.without_work(&source, held, &reason) {
            return Ok(observation);
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
    async fn at_digest(&self, platform: Option<&Platform>) -> Result<Observation, StepError> {
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
                Some(repository) => repository.digest(self.image, self.access).await,
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
        if let Some(observation) = self.without_work(&source, held, &reason) {
            return Ok(observation);
        }
        Ok(Observation::Outdated {
            work: Work::Copy { source, part },
            reason,
        })
    }

    /// Finds a platform's image in the source. An image that is no index is all there is.
    async fn pick(&self, source: &Digest, platform: &Platform) -> Result<Part, StepError> {
        let manifest = self.read_source(source).await?;
        self.access.observer.observe(Event::SourceRead {
            image: self.destination(),
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
            Some(repository) => repository.manifest(self.image, self.access).await,
            None => Ok(None),
        }
    }

    fn destination(&self) -> Reference {
        let Self { image, access, .. } = self;
        access.destination(&image.repository, &image.tag)
    }

    /// What the tag would be marked with.
    fn marks(&self, source: &Digest) -> Result<Marks, StepError> {
        let recipe = recipe(self.image).map_err(StepError::at(Step::Render))?;
        Ok(Marks::new(&self.image.source, source, &recipe))
    }

    fn without_work(
        &self,
        source: &Digest,
        held: Option<Digest>,
        reason: &Reason,
    ) -> Option<Observation> {
        let (source, held) = (source.clone(), held?);
        if *reason == Reason::Unchanged {
            return Some(Observation::UpToDate { source, held });
        }
        let is_immutable = self.repository?.mutability.is_immutable(&self.image.tag);
        let reason = reason.clone();
        is_immutable.then_some(Observation::Immutable {
            source,
            held,
            reason,
        })
    }

    async fn read_source(&self, source: &Digest) -> Result<Manifest, StepError> {
        fetch_manifest(&self.access.upstreams.client, &self.image.source, source).await
    }

    /// What the source offers, where that is all that is wanted.
    async fn base(&self, source: &Digest, manifest: &Manifest) -> Result<Base, StepError> {
        let Self { image, access, .. } = *self;
        let base = Base::read(&access.upstreams.client, &image.source, source, manifest).await?;
        base.check(&image.source, &image.platforms)
            .map_err(StepError::at(Step::Resolve))?;
        Ok(base)
    }
}

/// The digest of a source. A source pinned by digest is taken at its word; a tag costs one HEAD,
/// which Docker Hub does not count as a pull.
pub(super) async fn resolve(
    upstreams: &Upstreams,
    source: &Reference,
) -> Result<Digest, StepError> {
    if let Some(digest) = &source.digest {
        return Ok(digest.clone());
    }
    let found = upstreams.client.resolve(source).await;
    let found = found.map_err(StepError::at(Step::Resolve))?;
    let missing = || BaseError::Missing {
        image: source.to_string(),
    };
    found
        .ok_or_else(missing)
        .map_err(StepError::at(Step::Resolve))
}

/// The hash of all that the user decided about an image.
fn recipe(image: &ImageSpecification) -> Result<Recipe, TemplateError> {
    let dockerfile = image
        .template
        .render(&base_name(&image.source), &image.lines)?;
    Ok(Recipe::new(
        &dockerfile,
        &image.args,
        image.platforms.chosen(),
        image.is_copy() && image.attestations == Attestations::Drop,
    ))
}
