//! The Docker daemon, which some images are made by and some come from.

use std::error::Error as _;
use std::fmt;
use std::sync::Arc;

use serde_json::json;
use tokio::sync::OnceCell;

use crate::docker::{Docker, ImageDetails};
use crate::event::{Event, Observer, Step};
use crate::failure::{Failure, chain};
use crate::image::{Digest, Location, Reference, Tag};

use super::StepError;
use super::base::{Base, PlatformBase};
use super::base_error::BaseError;

/// Reads a variable of the environment: where the Docker daemon is.
pub type Environment = dyn Fn(&str) -> Option<String> + Send + Sync;

/// The Docker daemon. It is connected to when something first needs it, once for all clones.
#[derive(Clone)]
pub struct Daemon {
    environment: Arc<Environment>,
    docker: Arc<OnceCell<Result<Docker, StepError>>>,
}

impl fmt::Debug for Daemon {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Daemon").finish_non_exhaustive()
    }
}

impl Daemon {
    /// The daemon that this environment names, as the `docker` command reads it.
    pub fn new(environment: Arc<Environment>) -> Self {
        Self {
            environment,
            docker: Arc::default(),
        }
    }

    /// Connects to the daemon. Where that fails it stays so.
    pub(super) async fn connect(&self) -> Result<&Docker, StepError> {
        let connect = || async {
            let docker = Docker::connect(&*self.environment).await;
            docker.map_err(StepError::at(Step::Connect))
        };
        let docker = self.docker.get_or_init(connect).await;
        docker.as_ref().map_err(Clone::clone)
    }

    /// The ID of the image that has a name.
    pub(super) async fn find(&self, image: &Reference) -> Result<Digest, StepError> {
        let named = image.by_tag(image.tag.clone().unwrap_or_else(Tag::latest));
        let found = self.inspect(&named.to_string(), image).await?;
        Ok(found.id)
    }

    /// What is known of an image that a build or a copy would start from.
    pub(super) async fn base(&self, image: &Reference, id: &Digest) -> Result<Base, StepError> {
        let details = self.inspect(id.as_str(), image).await?;
        let platform = details.platform;
        // Enough to foresee what lines would make of it.
        let configuration = json!({
            "os": platform.os(),
            "architecture": platform.architecture(),
            "config": details.config,
            "rootfs": {"type": "layers", "diff_ids": details.layers},
        });
        Ok(Base {
            digest: id.clone(),
            platforms: vec![PlatformBase {
                platform,
                digest: id.clone(),
                configuration: Some(configuration.to_string().into()),
                manifest: None,
            }],
            is_index: false,
        })
    }

    async fn inspect(&self, name: &str, image: &Reference) -> Result<ImageDetails, StepError> {
        let found = self.connect().await?.inspect(name).await;
        let missing = || BaseError::NotLocal {
            image: Location::Daemon(image.clone()).to_string(),
        };
        found
            .map_err(StepError::at(Step::Resolve))?
            .ok_or_else(missing)
            .map_err(StepError::at(Step::Resolve))
    }
}

/// Tells that the daemon cannot be used, which is told once for all images.
pub(super) fn tell_missing(error: &StepError, observer: &dyn Observer) {
    let reason = error.source().map_or_else(|| error.to_string(), chain);
    let hint = error.hint();
    observer.observe(Event::NoDocker { reason, hint });
}
