//! Looks at source and destination of every image, in parallel, and asks no more than the plan
//! needs: an unchanged image costs one HEAD at its source.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt};

use crate::config::ImageSpecification;
use crate::dockerfile::{Recipe, RenderError};
use crate::ecr::TagMutability;
use crate::event::Step;
use crate::failure::{Failure, Kind};
use crate::image::{Digest, Platform, Reference, Repository, Tag};

use super::base::BaseError;
use super::marks::{Marks, base_name};
use super::observe_destination::{DestinationState, observe_destination};
use super::part::{Part, Wanted};
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

/// What is known of a destination repository.
#[derive(Clone)]
struct RepositoryState {
    mutability: TagMutability,
    /// Its tags, where ECR's API knows them and somebody needs them.
    tags: Option<Arc<BTreeMap<Tag, Digest>>>,
}

type Repositories<'a> = BTreeMap<&'a Repository, Result<Option<RepositoryState>, StepError>>;

/// Repositories that exist are listed where something is copied into them: one call answers for a
/// thousand tags.
async fn observe_repositories<'a>(
    images: &'a [ImageSpecification],
    access: &Access,
) -> Repositories<'a> {
    let mut names: BTreeMap<&Repository, bool> = BTreeMap::new();
    for image in images {
        *names.entry(&image.repository).or_default() |= image.is_copy();
    }
    let describe = async |(name, copies): (&'a Repository, bool)| {
        let state = observe_repository(name, copies && access.api_knows_images, access).await;
        (name, state)
    };
    stream::iter(names)
        .map(describe)
        .buffer_unordered(PARALLEL_QUESTIONS)
        .collect()
        .await
}

async fn observe_repository(
    name: &Repository,
    list: bool,
    access: &Access,
) -> Result<Option<RepositoryState>, StepError> {
    let description = access.ecr.describe_repository(name).await;
    let Some(description) = description.map_err(StepError::at(Step::Inspect))? else {
        return Ok(None);
    };
    let mutability = description.tag_mutability;
    if !list {
        return Ok(Some(RepositoryState {
            mutability,
            tags: None,
        }));
    }
    let tags = match access.ecr.list_tags(name).await {
        Ok(tags) => Some(Arc::new(tags)),
        Err(error) => {
            tracing::debug!(%name, %error, "asking tag by tag");
            None
        }
    };
    Ok(Some(RepositoryState { mutability, tags }))
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
        return look.at_marks(None).await;
    }
    match Wanted::of(&image.platforms) {
        Wanted::Whole => look.at_digest(None).await,
        Wanted::One(platform) => look.at_digest(Some(platform)).await,
        Wanted::Several(platforms) => look.at_marks(Some(platforms)).await,
    }
}

/// One image and what it is held against.
struct Look<'a> {
    image: &'a ImageSpecification,
    repository: Option<&'a RepositoryState>,
    access: &'a Access,
}

impl Look<'_> {
    /// For what cannot have the source's digest: what it was made from stands in its marks.
    /// `copied` are the platforms of a copy; a build has none.
    async fn at_marks(&self, copied: Option<&[Platform]>) -> Result<Observation, StepError> {
        let Self {
            image,
            repository,
            access,
        } = *self;
        let tag = access.destination(&image.repository, &image.tag);
        let held = async {
            match repository {
                Some(_) => observe_destination(&access.upstreams.client, &tag).await,
                None => Ok(DestinationState::Absent),
            }
        };
        let source = resolve(&access.upstreams, &image.source);
        let (source, held) = futures_util::try_join!(source, held)?;
        let recipe = recipe(image).map_err(StepError::at(Step::Render))?;
        let marks = Marks::new(&image.source, &source, &recipe);
        let reason = match repository {
            Some(_) => Reason::compare(&held, &marks),
            None => Reason::NewRepository,
        };
        let held = match held {
            DestinationState::Absent => None,
            DestinationState::Holds { digest, .. } => Some(digest),
        };
        if let Some(observation) = self.without_work(&source, held, &reason) {
            return Ok(observation);
        }
        let base = self.base(&source).await?;
        let work = match copied {
            None => Work::Build { base, marks },
            Some(platforms) => {
                let part = Part::Several(platforms.to_vec(), marks);
                Work::Copy { source, part }
            }
        };
        Ok(Observation::Outdated { work, reason })
    }

    /// For what is copied byte for byte: equal digests are all there is to it. A platform picked
    /// from an index has to be looked up in the index first.
    async fn at_digest(&self, platform: Option<&Platform>) -> Result<Observation, StepError> {
        let Self { image, access, .. } = *self;
        let wanted = async {
            let source = resolve(&access.upstreams, &image.source).await?;
            let Some(platform) = platform else {
                return Ok((source, Part::Whole));
            };
            let base = self.base(&source).await?;
            let found = base
                .platforms
                .iter()
                .find(|base| base.platform == *platform);
            let part = found.map_or(Part::Whole, |base| Part::One(base.digest.clone()));
            Ok((source, part))
        };
        let ((source, part), held) = futures_util::try_join!(wanted, self.held())?;
        let digest = match &part {
            Part::One(digest) => digest,
            Part::Whole | Part::Several(..) => &source,
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

    /// The digest that the tag has: from the repository's list, else by a HEAD.
    async fn held(&self) -> Result<Option<Digest>, StepError> {
        let Self {
            image,
            repository,
            access,
        } = *self;
        let Some(repository) = repository else {
            return Ok(None);
        };
        if let Some(tags) = &repository.tags {
            return Ok(tags.get(&image.tag).cloned());
        }
        let tag = access.destination(&image.repository, &image.tag);
        let held = access.upstreams.client.resolve(&tag).await;
        held.map_err(StepError::at(Step::Inspect))
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

    async fn base(&self, source: &Digest) -> Result<Base, StepError> {
        let Self { image, access, .. } = *self;
        let base = Base::fetch(&access.upstreams.client, &image.source, source).await?;
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
    ))
}
