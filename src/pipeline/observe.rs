//! Looks at source and destination of every image, in parallel, and asks no more than the plan
//! needs: an unchanged image costs one HEAD at its source.

use futures_util::stream::{self, StreamExt};

use crate::config::{self, Attestations, Builder, ImageSpecification};
use crate::docker::Compression;
use crate::dockerfile::{Ingredients, Recipe};
use crate::event::Step;
use crate::image::{Digest, Location};

use super::base_error::BaseError;
use super::conflict::Conflict;
use super::look::Look;
use super::marks::{Marks, base_name};
use super::observe_destination::{Repositories, RepositoryState};
use super::part::{Part, Wanted};
use super::referrers::{Finder, Referrer};
use super::render::dockerfile;
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
    /// The tag holds something else and is not overwritten.
    Obstructed {
        /// The source's digest.
        source: Digest,
        /// Why not, and what differs.
        conflict: Conflict,
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
    /// Derived from this base: its configuration is changed and its layers stay as they are.
    Derive {
        /// The upstream image.
        base: Base,
        /// What the result will carry.
        marks: Marks,
    },
    /// Taken out of the Docker daemon as it is.
    Export {
        /// The image, by its local ID.
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
    /// In place but for what refers to it, which is copied.
    Refer {
        /// The digest of the source.
        source: Digest,
        /// What the tag holds, and keeps.
        held: Digest,
        /// What refers to it at the source and not at the destination.
        lacking: Vec<Referrer>,
    },
}

impl Work {
    /// The source's digest.
    pub(super) fn source(&self) -> &Digest {
        match self {
            Self::Build { base, .. } | Self::Derive { base, .. } | Self::Export { base, .. } => {
                &base.digest
            }
            Self::Copy { source, .. } | Self::Refer { source, .. } => source,
        }
    }

    /// What the tag is to hold, where that is known before it is made.
    pub(super) fn wanted(&self) -> Option<&Digest> {
        match self {
            Self::Build { .. } | Self::Derive { .. } | Self::Export { .. } => None,
            Self::Copy { source, part } => Some(part.digest(source)),
            Self::Refer { held, .. } => Some(held),
        }
    }
}

impl Observation {
    /// The source's digest, where it was asked for.
    pub(super) fn source(&self) -> Option<&Digest> {
        match self {
            Self::NoRepository => None,
            Self::UpToDate { source, .. } | Self::Obstructed { source, .. } => Some(source),
            Self::Outdated { work, .. } => Some(work.source()),
        }
    }

    /// What the tag holds and keeps, where it is left alone.
    pub(super) fn held(&self) -> Option<&Digest> {
        match self {
            Self::UpToDate { held, .. }
            | Self::Outdated {
                work: Work::Refer { held, .. },
                ..
            } => Some(held),
            Self::Obstructed { conflict, .. } => Some(&conflict.held),
            Self::NoRepository | Self::Outdated { .. } => None,
        }
    }
}

/// Looks at every image in repositories that were seen; the answers are in the images' order.
pub(super) async fn observe(
    images: &[ImageSpecification],
    repositories: &config::Repositories,
    states: &Repositories<'_>,
    access: &Access,
) -> Vec<Result<Observation, StepError>> {
    let finder = Finder::new(access);
    stream::iter(images)
        .map(|image| {
            observe_image(
                image,
                &states[&image.repository],
                repositories,
                &finder,
                access,
            )
        })
        .buffered(PARALLEL_QUESTIONS)
        .collect()
        .await
}

async fn observe_image(
    image: &ImageSpecification,
    repository: &Result<Option<RepositoryState>, StepError>,
    wanted: &config::Repositories,
    finder: &Finder<'_>,
    access: &Access,
) -> Result<Observation, StepError> {
    let repository = repository.as_ref().map_err(Clone::clone)?.as_ref();
    if repository.is_none() && !wanted.create {
        return Ok(Observation::NoRepository);
    }
    let look = Look {
        image,
        destination: access.destination.tag(&image.repository, &image.tag),
        repository,
        overwrite: wanted.overwrite,
        finder,
        access,
    };
    if !image.is_copy() {
        if image.builder == Builder::Docker {
            look.check_ends()?;
        }
        return look.at_marks().await;
    }
    match Wanted::of(image) {
        Wanted::Whole => look.at_digest(None).await,
        Wanted::One(platform) => look.at_digest(Some(platform)).await,
        Wanted::Chosen(choice) => look.at_choice(choice).await,
        Wanted::Local => look.at_marks().await,
    }
}

/// The digest of a source. A source pinned by digest is taken at its word; a tag costs one HEAD,
/// which Docker Hub does not count as a pull. An image of the Docker daemon has its local ID.
pub(super) async fn resolve(upstreams: &Upstreams, source: &Location) -> Result<Digest, StepError> {
    if let Some(digest) = source.digest() {
        return Ok(digest.clone());
    }
    if let Location::Daemon(image) = source {
        return upstreams.daemon.find(image).await;
    }
    let found = upstreams.store.find(source).await;
    let found = found.map_err(StepError::at(Step::Resolve))?;
    let missing = || BaseError::missing(&upstreams.store, source);
    found
        .ok_or_else(missing)
        .map_err(StepError::at(Step::Resolve))
}

/// The hash of all that the user decided about an image.
pub(super) async fn recipe(image: &ImageSpecification) -> Result<Recipe, StepError> {
    let dockerfile = dockerfile(image, &base_name(&image.source))?;
    let context = match &image.context {
        Some(context) => Some(
            context
                .digest()
                .await
                .map_err(StepError::at(Step::Render))?,
        ),
        None => None,
    };
    let (chosen, compression) = (image.platforms.chosen(), image.compression);
    Ok(Recipe::of(&Ingredients {
        dockerfile: &dockerfile,
        args: &image.args,
        platforms: chosen.map(|list| list.iter().map(ToString::to_string).collect()),
        drops_attestations: image.is_copy() && image.attestations == Attestations::Drop,
        compression: (compression != Compression::default()).then(|| compression.as_str()),
        context,
        target: image.target.as_deref(),
        labels: &image.labels,
    }))
}
