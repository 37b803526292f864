//! Builds one image through the Docker daemon, platform by platform.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use tokio::sync::{OnceCell, Semaphore};

use crate::config::{ImageSpecification, Publish};
use crate::docker::{self, BuildRequest, Docker, Engine, Engines, ExportRequest, LayerSettings};
use crate::dockerfile;
use crate::event::{Event, Step};
use crate::failure::{Failure, Kind, chain};
use crate::image::{Digest, Location, Platform, Reference, Registry, Tag};
use crate::registry::Login;

use super::assembly::Assembly;
use super::base::{Base, PlatformBase};
use super::base_image::BaseImage;
use super::blobs::{Blobs, layers_of};
use super::cleanup::Cleanup;
use super::daemon_bases::DaemonBases;
use super::daemon_push::{BuiltPlatform, DaemonPush};
use super::docker_ends::DockerEnds;
use super::emulation::Emulation;
use super::engine;
use super::leftovers::Leftovers;
use super::marks::Marks;
use super::observe::TemplateError;
use super::publish::{Publisher, Ready};
use super::way::Way;
use super::{Access, Effort, StepError};

/// A name that stands for the base, where only the lines count.
const TRIAL_BASE: &str = "longshore.invalid/base";

/// Builds and publishes images.
pub(super) struct Builder<'a> {
    access: &'a Access,
    docker: Docker,
    engines: OnceCell<Engines>,
    /// Tells this run's names and tags apart from those of a run beside it.
    run: String,
    /// One for each build that the daemon may do at once.
    slots: Semaphore,
    emulation: Emulation,
    bases: DaemonBases,
    keep_local: bool,
    cleanup: Cleanup,
}

/// What to build for one destination tag, and what to bring beside it.
#[derive(Clone, Copy)]
pub(super) struct Order<'a> {
    pub(super) image: &'a ImageSpecification,
    pub(super) ends: DockerEnds<'a>,
    pub(super) way: Way<'a>,
    pub(super) platforms: &'a [PlatformBase],
    pub(super) marks: &'a Marks,
    pub(super) blobs: &'a Blobs<'a>,
    /// Which of Docker's builders builds.
    pub(super) engine: Engine,
}

/// What the daemon made for one platform.
struct Made {
    built: BuiltPlatform,
    /// The same, put together for the registry, unless the daemon pushes.
    ready: Option<Ready>,
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
    pub(super) async fn new(
        access: &'a Access,
        docker: Docker,
        effort: Effort,
        cleanup: &Cleanup,
    ) -> Self {
        let now = std::time::SystemTime::now();
        let jobs = match effort.build_jobs {
            Some(jobs) => jobs.get(),
            None => docker.processors().await,
        };
        Self {
            access,
            run: format!("{} {now:?}", std::process::id()),
            slots: Semaphore::new(jobs.min(Semaphore::MAX_PERMITS)),
            emulation: Emulation::default(),
            bases: DaemonBases::new(&docker, cleanup),
            keep_local: effort.keep_local,
            cleanup: cleanup.clone(),
            docker,
            engines: OnceCell::new(),
        }
    }

    /// The platforms to build; fails where the base lacks one, or the daemon cannot run what has to
    /// run for one.
    pub(super) async fn platforms(
        &self,
        image: &ImageSpecification,
        base: &Base,
    ) -> Result<Vec<PlatformBase>, StepError> {
        let own = self.docker.platform();
        let platforms = base.select(&image.source, &image.platforms, own);
        let platforms = platforms.map_err(StepError::at(Step::Resolve))?;
        self.emulation
            .require(&self.docker, image, &platforms)
            .await?;
        Ok(platforms)
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
        let destination = order.ends.destination;
        let leftovers = Leftovers::new(self.access, &self.docker, destination, &self.cleanup);
        let published = self.publish(order, &leftovers).await;
        leftovers.remove().await;
        published
    }

    /// Removes the bases that were not in the daemon before.
    pub(super) async fn tidy(&self) {
        if self.keep_local {
            self.bases.keep();
        } else {
            self.bases.remove().await;
        }
    }

    async fn publish(&self, order: Order<'_>, leftovers: &Leftovers) -> Result<Digest, StepError> {
        let Order {
            image,
            ends,
            way,
            marks,
            blobs,
            ..
        } = order;
        let (access, docker) = (self.access, &self.docker);
        let all_made: Vec<Made> = stream::iter(order.platforms)
            .map(|platform| self.make(order, platform, leftovers))
            .buffered(order.platforms.len().max(1))
            .try_collect()
            .await?;
        let (all_built, all_ready): (Vec<_>, Vec<_>) = all_made
            .into_iter()
            .map(|made| (made.built, made.ready))
            .unzip();
        let digest = match image.publish {
            Publish::Longshore => {
                let publisher = Publisher { access, blobs, way };
                let all_ready = all_ready.into_iter().flatten().collect();
                publisher.publish(all_ready, marks).await?
            }
            Publish::Daemon => {
                let destination = ends.destination;
                let push = DaemonPush {
                    access,
                    docker,
                    destination,
                    leftovers,
                };
                push.publish(all_built.clone(), marks).await?
            }
        };
        if self.keep_local {
            self.keep(&all_built, ends.destination, leftovers).await;
        }
        Ok(digest)
    }

    /// Builds one platform, and takes what was built out of the daemon, while the base's layers are
    /// brought beside it.
    async fn make(
        &self,
        order: Order<'_>,
        platform: &PlatformBase,
        leftovers: &Leftovers,
    ) -> Result<Made, StepError> {
        let Order {
            image, way, blobs, ..
        } = order;
        let base = BaseImage::of(image, way, platform).await?;
        let base_layers = layers_of(&base.manifest)?;
        // The daemon pulls the base for itself meanwhile. Where it pushes, it finds these
        // layers by their digests and compresses none of them anew.
        let seeded = blobs.seed(way, base_layers.clone());
        let made = async {
            let _slot = self.slots.acquire().await.expect("never closed");
            let built = self
                .build_platform(order, platform, &base, leftovers)
                .await?;
            let assembly = match image.publish {
                Publish::Daemon => None,
                Publish::Longshore => {
                    let assembly = self.assemble(order, platform, &built, &base, leftovers);
                    Some(assembly.await?)
                }
            };
            Ok((built, assembly))
        };
        let ((built, assembly), ()) = futures_util::try_join!(made, seeded)?;
        let ready = assembly.map(|assembly| Ready {
            platform: built.platform.clone(),
            assembly,
            base_layers,
        });
        Ok(Made { built, ready })
    }

    /// Gives what was built the destination's name in the daemon, for the user. A name can hold one
    /// platform: that of the daemon, or else the first. The others have theirs in the tag.
    async fn keep(&self, built: &[BuiltPlatform], destination: &Reference, leftovers: &Leftovers) {
        let own = self.docker.platform();
        let is_own = |built: &BuiltPlatform| built.platform == *own;
        let first = built.iter().position(is_own).unwrap_or_default();
        let tag = destination.tag.clone().unwrap_or_else(Tag::latest);
        for (index, built) in built.iter().enumerate() {
            let tag = if index == first {
                tag.to_string()
            } else {
                format!("{tag}-{}", built.platform.slug())
            };
            let name = destination.name();
            let kept = self.docker.tag(built.id.as_str(), &name, &tag).await;
            match kept {
                Ok(()) => leftovers.keep(format!("{name}:{tag}")),
                Err(error) => self.access.observer.observe(Event::Warning {
                    image: destination.clone().into(),
                    message: format!("it is not kept in the Docker daemon: {}", chain(&error)),
                }),
            }
        }
    }

    /// Takes what was built out of the daemon and puts it together for the registry.
    async fn assemble(
        &self,
        order: Order<'_>,
        platform: &PlatformBase,
        built: &BuiltPlatform,
        base: &BaseImage,
        leftovers: &Leftovers,
    ) -> Result<Assembly, StepError> {
        let Order { image, marks, .. } = order;
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
            named: Some(&|name| leftovers.named(name)),
        };
        let export = self.docker.export(request).await;
        let export = export.map_err(StepError::at(step.clone()))?;
        let assembly = Assembly::of_build(
            base,
            &platform.digest,
            export,
            marks,
            image.source_date_epoch,
        );
        assembly.map_err(StepError::at(step))
    }

    async fn build_platform(
        &self,
        order: Order<'_>,
        base: &PlatformBase,
        base_image: &BaseImage,
        leftovers: &Leftovers,
    ) -> Result<BuiltPlatform, StepError> {
        let Order {
            image,
            marks,
            engine,
            ..
        } = order;
        let DockerEnds {
            source,
            destination,
        } = order.ends;
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
        // Otherwise they are put on when it is put together: the classic builder makes a step and a
        // container for each label.
        if image.publish == Publish::Daemon {
            labels.extend(marks.labels(&base.digest));
        }
        let images = dockerfile::images(&dockerfile);
        let logins = self.logins(source, &images).await?;
        let output = |text: &str| {
            observer.observe(Event::Output {
                image: destination.clone().into(),
                platform: platform.clone(),
                text: text.to_owned(),
            });
        };
        // BuildKit keeps what it pulls to itself.
        if engine == Engine::Classic {
            let bring = self.bring(source, base, &images, &logins, output);
            bring.await.map_err(StepError::at(step.clone()))?;
        }

        let name = format!("longshore/scratch:{temporary_tag}");
        leftovers.named(name.clone());
        let step_images = leftovers.building();
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
            let mut images = step_images.lock().unwrap_or_else(PoisonError::into_inner);
            images.read(text);
            drop(images);
            output(text);
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

    /// Has the daemon pull the base, and takes note of the other images that the lines name.
    async fn bring(
        &self,
        source: &Location,
        base: &PlatformBase,
        images: &[Reference],
        logins: &[(Registry, Login)],
        output: impl Fn(&str) + Send + Sync,
    ) -> Result<(), docker::Error> {
        let upstreams = &self.access.upstreams;
        let pinned = source.reference();
        let pinned = pinned.map(|source| upstreams.pinned_base(source, &base.digest));
        for image in images
            .iter()
            .filter(|image| Some(*image) != pinned.as_ref())
        {
            self.bases.expect(image).await?;
        }
        let Some(pinned) = pinned else {
            return Ok(());
        };
        let login = logins.iter().find(|(it, _)| *it == pinned.registry);
        let login = login.map(|(_, login)| login);
        self.bases
            .bring(&pinned, &base.platform, login, output)
            .await
    }

    /// Names a local image for `FROM`: BuildKit takes an image's ID for the name of a repository.
    async fn name_for_buildkit(
        &self,
        id: &Digest,
        tag: &Tag,
        leftovers: &Leftovers,
    ) -> Result<String, docker::Error> {
        const REPOSITORY: &str = "longshore/base";
        let name = format!("{REPOSITORY}:{tag}");
        leftovers.named(name.clone());
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
        images: &[Reference],
    ) -> Result<Vec<(Registry, Login)>, StepError> {
        let upstreams = &self.access.upstreams;
        let registries = images.iter().map(|image| &image.registry);
        let mut registries: BTreeMap<Registry, Registry> = registries
            .map(|registry| (registry.clone(), registry.clone()))
            .collect();
        if let Some(source) = source.reference() {
            let read = &upstreams.store.read_at(source).registry;
            registries.insert(upstreams.pulled_from(read), read.clone());
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
