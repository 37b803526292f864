//! Builds one image through the Docker daemon, platform by platform.

use std::collections::BTreeMap;

use tokio::sync::OnceCell;

use crate::config::{ImageSpecification, Publish};
use crate::docker::{self, BuildRequest, Docker, Engine, Engines, ExportRequest, LayerSettings};
use crate::dockerfile::{self, label};
use crate::event::{Event, Step};
use crate::failure::{Failure, Kind};
use crate::image::{Digest, Location, Platform, Reference, Registry, Tag};
use crate::registry::Login;

use super::assembly::Assembly;
use super::base::{Base, PlatformBase};
use super::base_image::BaseImage;
use super::blobs::{Blobs, layers_of};
use super::daemon_push::{BuiltPlatform, DaemonPush};
use super::docker_ends::DockerEnds;
use super::engine;
use super::leftovers::Leftovers;
use super::marks::Marks;
use super::observe::TemplateError;
use super::publish::{Publisher, Ready};
use super::way::Way;
use super::{Access, StepError};

/// A name that stands for the base, where only the lines count.
const TRIAL_BASE: &str = "longshore.invalid/base";

/// Builds and publishes images.
pub(super) struct Builder<'a> {
    access: &'a Access,
    docker: Docker,
    engines: OnceCell<Engines>,
    /// Tells this run's names and tags apart from those of a run beside it.
    run: String,
}

/// What to build for one destination tag, and what to bring beside it.
#[derive(Clone, Copy)]
pub(super) struct Order<'a> {
    pub(super) image: &'a ImageSpecification,
    pub(super) ends: DockerEnds<'a>,
    pub(super) way: Way<'a>,
    pub(super) base: &'a Base,
    pub(super) marks: &'a Marks,
    pub(super) blobs: &'a Blobs<'a>,
    /// Which of Docker's builders builds.
    pub(super) engine: Engine,
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
        let now = std::time::SystemTime::now();
        let run = format!("{} {now:?}", std::process::id());
        Self {
            access,
            docker,
            engines: OnceCell::new(),
            run,
        }
    }

    /// Which of Docker's builders builds an image, or why none can.
    pub(super) async fn engine(&self, image: &ImageSpecification) -> Result<Engine, StepError> {
        let dockerfile = image.template.render(TRIAL_BASE, &image.lines);
        let dockerfile = dockerfile
            .map_err(TemplateError::from)
            .map_err(StepError::at(Step::Render))?;
        let ask = || async { self.docker.engines().await };
        let engines = self.engines.get_or_try_init(ask).await;
        let engines = engines.map_err(StepError::at::<docker::Error>(Step::Connect))?;
        engine::choose(image, &dockerfile, *engines).map_err(StepError::at(Step::Render))
    }

    /// Builds every wanted platform, publishes the result under the destination's tag and returns
    /// the digest that the tag then has. What it needed on the way is removed, whatever happens.
    pub(super) async fn build(&self, order: Order<'_>) -> Result<Digest, StepError> {
        let mut leftovers = Leftovers::default();
        let published = self.publish(order, &mut leftovers).await;
        leftovers
            .remove(self.access, &self.docker, order.ends.destination)
            .await;
        published
    }

    async fn publish(
        &self,
        order: Order<'_>,
        leftovers: &mut Leftovers,
    ) -> Result<Digest, StepError> {
        let Order {
            image,
            ends,
            way,
            base,
            marks,
            blobs,
            ..
        } = order;
        let (access, docker) = (self.access, &self.docker);
        let platforms = base
            .select(&image.source, &image.platforms, docker.platform())
            .map_err(StepError::at(Step::Resolve))?;
        let mut all_built = Vec::with_capacity(platforms.len());
        let mut all_ready = Vec::with_capacity(platforms.len());
        for platform in &platforms {
            let base_image = BaseImage::of(image, way, platform).await?;
            let base_layers = layers_of(&base_image.manifest)?;
            // The daemon pulls the base for itself meanwhile. Where it pushes, it finds these
            // layers by their digests and compresses none of them anew.
            let seeded = blobs.seed(way, base_layers.clone());
            let built = self.build_platform(order, platform, &base_image, leftovers);
            let (built, ()) = futures_util::try_join!(built, seeded)?;
            match image.publish {
                Publish::Daemon => all_built.push(built),
                Publish::Longshore => all_ready.push(Ready {
                    assembly: self.assemble(image, &built, &base_image, marks).await?,
                    platform: built.platform,
                    base_layers,
                }),
            }
        }
        match image.publish {
            Publish::Longshore => {
                let publisher = Publisher { access, blobs, way };
                publisher.publish(all_ready, marks).await
            }
            Publish::Daemon => {
                let destination = ends.destination;
                let push = DaemonPush {
                    access,
                    docker,
                    destination,
                    leftovers,
                };
                push.publish(all_built, marks).await
            }
        }
    }

    /// Takes what was built out of the daemon and puts it together for the registry.
    async fn assemble(
        &self,
        image: &ImageSpecification,
        built: &BuiltPlatform,
        base: &BaseImage,
        marks: &Marks,
    ) -> Result<Assembly, StepError> {
        let step = Step::Push(built.platform.clone());
        let (latest, _) = base.time(image.source_date_epoch);
        let request = ExportRequest {
            id: &built.id,
            base_layers: base.diff_ids.len(),
            known: &base.layers(),
            settings: LayerSettings {
                latest: Some(latest),
                compression: image.compression,
            },
        };
        let export = self.docker.export(request).await;
        let export = export.map_err(StepError::at(step.clone()))?;
        let assembly = Assembly::of_build(base, export, marks, image.source_date_epoch);
        assembly.map_err(StepError::at(step))
    }

    async fn build_platform(
        &self,
        order: Order<'_>,
        base: &PlatformBase,
        base_image: &BaseImage,
        leftovers: &mut Leftovers,
    ) -> Result<BuiltPlatform, StepError> {
        let Order {
            image,
            ends,
            marks,
            engine,
            ..
        } = order;
        let DockerEnds {
            source,
            destination,
        } = ends;
        let platform = &base.platform;
        let step = Step::Build(platform.clone());
        let observer = &self.access.observer;
        observer.observe(Event::Reached {
            image: destination.clone().into(),
            step: step.clone(),
        });
        let temporary_tag = self.temporary_tag(destination, platform);
        let from = if matches!(source, Location::Daemon(_)) && engine == Engine::BuildKit {
            self.name_for_buildkit(&base.digest, &temporary_tag, leftovers)
                .await
                .map_err(StepError::at(step.clone()))?
        } else {
            self.access.upstreams.from(source, &base.digest)
        };
        let dockerfile = image
            .template
            .render(&from, &image.lines)
            .map_err(TemplateError::from)
            .map_err(StepError::at(Step::Render))?;
        let mut labels = image.labels.clone();
        labels.extend(marks.write());
        labels.insert(label::PLATFORM_DIGEST.to_owned(), base.digest.to_string());
        let logins = self.logins(source, &dockerfile).await?;
        let name = format!("longshore/scratch:{temporary_tag}");
        leftovers.names.push(name.clone());
        let request = BuildRequest {
            dockerfile: &dockerfile,
            context: image.context.as_ref(),
            target: image.target.as_deref(),
            network: image.network.as_deref(),
            args: &image.args,
            labels: &labels,
            platform: Some(platform),
            logins: &logins,
            tag: &name,
            engine,
            secrets: &image.secrets,
        };
        let mut output = |text: &str| {
            observer.observe(Event::Output {
                image: destination.clone().into(),
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
        self.check(&id, platform, &from, base_image, step).await?;
        Ok(BuiltPlatform {
            platform: platform.clone(),
            id,
            temporary_tag,
        })
    }

    /// Names a local image for `FROM`: BuildKit takes an image's ID for the name of a repository.
    async fn name_for_buildkit(
        &self,
        id: &Digest,
        tag: &Tag,
        leftovers: &mut Leftovers,
    ) -> Result<String, docker::Error> {
        const REPOSITORY: &str = "longshore/base";
        let name = format!("{REPOSITORY}:{tag}");
        leftovers.names.push(name.clone());
        self.docker
            .tag(id.as_str(), REPOSITORY, tag.as_str())
            .await?;
        Ok(name)
    }

    /// The classic builder takes a local image of the wrong architecture without a word, so what
    /// was built is held against its base. Variants are not: BuildKit drops them.
    async fn check(
        &self,
        id: &Digest,
        wanted: &Platform,
        from: &str,
        base: &BaseImage,
        step: Step,
    ) -> Result<(), StepError> {
        let built = self.docker.inspect(id.as_str()).await;
        let Some(built) = built.map_err(StepError::at(step.clone()))? else {
            let name = id.to_string();
            return Err(StepError::new(step, WrongResult::Gone { name }));
        };
        let wrong = if (built.platform.os(), built.platform.architecture())
            != (wanted.os(), wanted.architecture())
        {
            WrongResult::Platform {
                wanted: wanted.clone(),
                built: built.platform,
            }
        } else if !built.layers.starts_with(&base.diff_ids) {
            let base = from.to_owned();
            WrongResult::Layers { base }
        } else {
            return Ok(());
        };
        Err(StepError::new(step, wrong))
    }

    /// Who to be at each registry that the Dockerfile reads. The source's login belongs to where
    /// the source is really read.
    async fn logins(
        &self,
        source: &Location,
        dockerfile: &str,
    ) -> Result<Vec<(Registry, Login)>, StepError> {
        let upstreams = &self.access.upstreams;
        let registries = dockerfile::registries(dockerfile);
        let mut registries: BTreeMap<Registry, Registry> =
            registries.into_iter().map(|it| (it.clone(), it)).collect();
        if let Some(source) = source.reference() {
            let read_at = upstreams.pulled_from(&source.registry);
            registries.insert(read_at, source.registry.clone());
        }
        let mut logins = Vec::new();
        for (registry, known_as) in &registries {
            let login = upstreams.credentials.login(known_as).await;
            let login = login.map_err(StepError::at(Step::Resolve))?;
            logins.extend(login.map(|login| (registry.clone(), login)));
        }
        Ok(logins)
    }

    /// The tag under which one platform's image travels. No other run, image or platform has it,
    /// so that what an earlier run left in an immutable repository is never in the way.
    fn temporary_tag(&self, destination: &Reference, platform: &Platform) -> Tag {
        let unique = Digest::of(format!("{} {destination}", self.run).as_bytes());
        let text = format!("longshore-{}-{}", unique.short(), platform.slug());
        text.parse()
            .expect("a digest and a platform make a sound tag")
    }
}
