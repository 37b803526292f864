//! What can be wrong with an upstream image.

use crate::failure::{Failure, Kind};
use crate::image::{Location, ParseManifestError, Registry};
use crate::store::Store;

const NOT_AN_IMAGE: &str =
    "is this a container image? charts and other artifacts cannot be built on";

/// What can be wrong with an upstream image.
#[derive(Debug, thiserror::Error)]
pub(super) enum BaseError {
    /// The tag or digest does not exist.
    #[error("`{image}` does not exist")]
    Missing {
        /// The image.
        image: String,
    },
    /// The Docker daemon has no such image.
    #[error("`{image}` is no image of the Docker daemon")]
    NotLocal {
        /// The image.
        image: String,
    },
    /// The cache through which it is read says so.
    #[error("`{image}` does not exist, as `{cache}`, through which it is read, says")]
    Uncached {
        /// The image.
        image: String,
        /// The registry that caches.
        cache: Registry,
    },
    /// The manifest cannot be read.
    #[error("the manifest of `{image}` cannot be used")]
    Manifest {
        /// The image.
        image: String,
        /// What is wrong with it.
        source: ParseManifestError,
    },
    /// The image configuration cannot be read.
    #[error("the configuration of `{image}` is malformed")]
    Configuration {
        /// The image.
        image: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The index names no platform.
    #[error("`{image}` is an index that names no platform")]
    NoPlatform {
        /// The image.
        image: String,
    },
    /// The Docker daemon builds for another operating system.
    #[error("`{image}` offers no platform that this Docker daemon builds; it has {offered}")]
    NotOfDaemon {
        /// The image.
        image: String,
        /// The platforms it has, separated by commas.
        offered: String,
    },
    /// Platforms were asked for that the image lacks.
    #[error("`{image}` has no {lacking}; it has {offered}")]
    Platform {
        /// The image.
        image: String,
        /// The platforms it lacks, separated by commas.
        lacking: String,
        /// The platforms it has, separated by commas.
        offered: String,
    },
}

impl Failure for BaseError {
    fn kind(&self) -> Kind {
        Kind::Permanent
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { .. } => Some(
                "check the name and the tag; a private image needs `upstreams` credentials"
                    .to_owned(),
            ),
            Self::NotLocal { .. } => Some(
                "`docker images` lists those it has; build or load the image first, or name \
                 another daemon in DOCKER_HOST"
                    .to_owned(),
            ),
            Self::Uncached { .. } => Some(
                "check the name and the tag; ECR says the same where `longshore cache apply` has \
                 not made the rule yet, and where the caller may not `ecr:BatchImportUpstreamImage` and `ecr:CreateRepository`, which `longshore \
                 cache policy --for puller` prints"
                    .to_owned(),
            ),
            Self::Platform { .. } => Some("change the image's `platforms`".to_owned()),
            Self::NoPlatform { .. } => Some(
                "there is nothing in it to choose from or to build on; without `platforms` and \
                 `lines` all of it is copied as it is"
                    .to_owned(),
            ),
            Self::NotOfDaemon { .. } => Some(
                "use a Docker daemon of that operating system; without `lines` the image is \
                 copied, which needs none"
                    .to_owned(),
            ),
            Self::Manifest { source, .. } => {
                Some(source.remedy().unwrap_or(NOT_AN_IMAGE).to_owned())
            }
            Self::Configuration { .. } => Some(NOT_AN_IMAGE.to_owned()),
        }
    }
}

impl BaseError {
    /// An image of this store does not exist.
    pub(super) fn missing(store: &Store, image: &Location) -> Self {
        let name = image.to_string();
        match store.cache_of(image) {
            Some(cache) => Self::Uncached {
                image: name,
                cache: cache.clone(),
            },
            None => Self::Missing { image: name },
        }
    }
}
