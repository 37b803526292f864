//! Builds one image through the Docker daemon, platform by platform.

use crate::config::ImageSpecification;
use crate::docker::{self, BuildRequest, Docker};
use crate::dockerfile::label;
use crate::event::{Event, Step};
use crate::failure::{Failure, Kind};
use crate::image::{Digest, Platform, Reference, Registry};
use crate::registry::Login;

use super::base::{Base, PlatformBase};
use super::marks::Marks;
use super::observe::TemplateError;
use super::publish::{BuiltPlatform, Publisher};
use super::{Access, StepError};

/// Builds and publishes images.
pub(super) struct Builder<'a> {
    access: &'a Access,
    docker: Docker,
}

/// The daemon built something else than it was asked for.
#[derive(Debug, thiserror::Error)]
enum WrongResult {
    #[error("asked for {wanted}, the Docker daemon built {built}")]
    Platform { wanted: Platform, built: Platform },
    #[error("the Docker daemon no longer has `{name}`, which it just used")]
    Gone { name: String },
    #[error("the built image does not start with the layers of its base `{base}`")]
    Layers { base: String },
}

impl Failure for WrongResult {
    fn kind(&self) -> Kind {
        match self {
            Self::Gone { .. } => Kind::Transient,
            Self::Platform { .. } | Self::Layers { .. } => Kind::Permanent,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Gone { .. } => "something removed it in the meantime, such as a prune",
            Self::Platform { .. } | Self::Layers { .. } => {
                "the daemon took another local image for the base; remove it and run again"
            }
        };
        Some(hint.to_owned())
    }
}

impl<'a> Builder<'a> {
    /// A builder on a connected daemon.
    pub(super) fn new(access: &'a Access, docker: Docker) -> Self {
        Self { access, docker }
    }

    /// Builds every wanted platform, publishes the result under the destination's tag and returns
    /// the digest that the tag then has.
    pub(super) async fn build(
        &self,
        image: &ImageSpecification,
        destination: &Reference,
        base: &Base,
        marks: &Marks,
    ) -> Result<Digest, StepError> {
        let platforms = base
            .select(&image.source, &image.platforms, self.docker.platform())
            .map_err(StepError::at(Step::Resolve))?;
        let logins = self.upstream_logins(&image.source.registry).await?;
        let mut built = Vec::with_capacity(platforms.len());
        for platform in &platforms {
            built.push(
                self.build_platform(image, destination, platform, marks, &logins)
                    .await?,
            );
        }
        let publisher = Publisher {
            access: self.access,
            docker: &self.docker,
            destination,
        };
        publisher.publish(built, marks).await
    }

    async fn build_platform(
        &self,
        image: &ImageSpecification,
        destination: &Reference,
        base: &PlatformBase,
        marks: &Marks,
        logins: &[(Registry, Login)],
    ) -> Result<BuiltPlatform, StepError> {
        let platform = &base.platform;
        let step = Step::Build(platform.clone());
        let observer = &self.access.observer;
        observer.observe(Event::Reached {
            image: destination.clone(),
            step: step.clone(),
        });
        let pinned = self
            .access
            .upstreams
            .pinned_base(&image.source, &base.digest);
        let dockerfile = image
            .template
            .render(&pinned.to_string(), &image.lines)
            .map_err(|error| StepError::new(step.clone(), TemplateError::from(error)))?;
        let mut labels = marks.write();
        labels.insert(label::PLATFORM_DIGEST.to_owned(), base.digest.to_string());
        let name = scratch_name(destination, platform);
        let request = BuildRequest {
            dockerfile: &dockerfile,
            args: &image.args,
            labels: &labels,
            platform: Some(platform),
            logins,
            tag: &name,
        };
        let mut output = |text: &str| {
            observer.observe(Event::Output {
                image: destination.clone(),
                platform: platform.clone(),
                text: text.to_owned(),
            });
        };
        let failed = StepError::at::<docker::Error>(step.clone());
        let id = self
            .docker
            .build(&request, &mut output)
            .await
            .map_err(failed)?;
        self.check(&id, platform, &pinned, step).await?;
        Ok(BuiltPlatform {
            platform: platform.clone(),
            name,
            id,
        })
    }

    /// The classic builder takes a local image of the wrong architecture without a word, so what
    /// it built is held against its base. Variants are not: BuildKit drops them.
    async fn check(
        &self,
        id: &Digest,
        wanted: &Platform,
        base: &Reference,
        step: Step,
    ) -> Result<(), StepError> {
        let base = Reference {
            tag: None,
            ..base.clone()
        }
        .to_string();
        let inspect = async |name: &str| {
            let details = self
                .docker
                .inspect(name)
                .await
                .map_err(StepError::at(step.clone()))?;
            let gone = || {
                StepError::new(
                    step.clone(),
                    WrongResult::Gone {
                        name: name.to_owned(),
                    },
                )
            };
            details.ok_or_else(gone)
        };
        let built = inspect(id.as_str()).await?;
        let layers = inspect(&base).await?.layers;
        let wrong = if (built.platform.os(), built.platform.architecture())
            != (wanted.os(), wanted.architecture())
        {
            WrongResult::Platform {
                wanted: wanted.clone(),
                built: built.platform,
            }
        } else if !built.layers.starts_with(&layers) {
            WrongResult::Layers { base }
        } else {
            return Ok(());
        };
        Err(StepError::new(step, wrong))
    }

    async fn upstream_logins(
        &self,
        registry: &Registry,
    ) -> Result<Vec<(Registry, Login)>, StepError> {
        let upstreams = &self.access.upstreams;
        let login = upstreams.credentials.login(registry).await;
        let login = login.map_err(StepError::at(Step::Resolve))?;
        Ok(login
            .map(|login| (upstreams.pulled_from(registry), login))
            .into_iter()
            .collect())
    }
}

/// The name that a built image has in the daemon until it is published. It is unlike every name of
/// the user's, and two images that are built side by side never share one.
fn scratch_name(destination: &Reference, platform: &Platform) -> String {
    let image = Digest::of(destination.to_string().as_bytes());
    format!("longshore/scratch:{}-{}", image.short(), platform.slug())
}
