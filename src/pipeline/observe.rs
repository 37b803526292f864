//! Looks at source and destination of every image, in parallel, and asks no more than the plan
//! needs: an unchanged image costs one HEAD at its source.

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt};

use crate::config::{ImageSpecification, Repositories};
use crate::dockerfile::{Recipe, RenderError};
use crate::ecr::TagMutability;
use crate::event::Step;
use crate::failure::{Failure, Kind};
use crate::image::{Digest, Reference, Repository};

use super::base::BaseError;
use super::marks::{Marks, base_name};
use super::observe_destination::{DestinationState, observe_destination};
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
        /// The source, with its platforms.
        base: Base,
        /// What the result will carry.
        wanted: Marks,
        /// Why it has to be made.
        reason: Reason,
    },
}

impl Observation {
    /// The source's digest, where it was asked for.
    pub(super) fn source(&self) -> Option<&Digest> {
        match self {
            Self::NoRepository => None,
            Self::UpToDate { source, .. } | Self::Immutable { source, .. } => Some(source),
            Self::Outdated { base, .. } => Some(&base.digest),
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
    settings: &Repositories,
    access: &Access,
) -> Vec<Result<Observation, StepError>> {
    let repositories = observe_repositories(images, access).await;
    stream::iter(images)
        .map(|image| {
            let repository = repositories[&image.repository].clone();
            observe_image(image, repository, settings, access)
        })
        .buffered(PARALLEL_QUESTIONS)
        .collect()
        .await
}

type RepositoryState = Result<Option<TagMutability>, StepError>;

async fn observe_repositories(
    images: &[ImageSpecification],
    access: &Access,
) -> BTreeMap<Repository, RepositoryState> {
    let mut names: Vec<&Repository> = images.iter().map(|image| &image.repository).collect();
    names.sort_unstable();
    names.dedup();
    let describe = async |name: &Repository| {
        let state = access.ecr.describe_repository(name).await;
        let state = state.map(|found| found.map(|description| description.tag_mutability));
        (name.clone(), state.map_err(StepError::at(Step::Inspect)))
    };
    stream::iter(names)
        .map(describe)
        .buffer_unordered(PARALLEL_QUESTIONS)
        .collect()
        .await
}

async fn observe_image(
    image: &ImageSpecification,
    repository: RepositoryState,
    settings: &Repositories,
    access: &Access,
) -> Result<Observation, StepError> {
    let repository = repository?;
    if repository.is_none() && !settings.create {
        return Ok(Observation::NoRepository);
    }
    let upstreams = &access.upstreams;
    let tag = access.destination(&image.repository, &image.tag);
    let look = async {
        match repository {
            Some(_) => observe_destination(&upstreams.client, &tag).await,
            None => Ok(DestinationState::Absent),
        }
    };
    let (source, held) = futures_util::try_join!(resolve(upstreams, &image.source), look)?;
    let recipe = recipe(image).map_err(StepError::at(Step::Render))?;
    let wanted = Marks::new(&image.source, &source, &recipe);
    let reason = match repository {
        Some(_) => Reason::compare(&held, &wanted),
        None => Reason::NewRepository,
    };
    let immutable = repository.is_some_and(|mutability| mutability.is_immutable(&image.tag));
    match held {
        DestinationState::Holds { digest: held, .. } if reason == Reason::Unchanged => {
            Ok(Observation::UpToDate { source, held })
        }
        DestinationState::Holds { digest: held, .. } if immutable => Ok(Observation::Immutable {
            source,
            held,
            reason,
        }),
        _ => {
            let base = Base::fetch(&upstreams.client, &image.source, &source).await?;
            base.check(&image.source, &image.platforms)
                .map_err(StepError::at(Step::Resolve))?;
            Ok(Observation::Outdated {
                base,
                wanted,
                reason,
            })
        }
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
