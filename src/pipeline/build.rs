//! Builds one image through the Docker daemon, platform by platform.

use futures_util::stream::{self, StreamExt, TryStreamExt};
use tokio::sync::{OnceCell, Semaphore};

use crate::config::{ImageSpecification, Publish};
use crate::docker::{self, Docker, Engine, Engines, ExportRequest, LayerSettings};
use crate::event::{Event, Step};
use crate::failure::chain;
use crate::image::{Digest, Platform, Reference, Tag};

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
use super::marks::{Marks, base_name};
use super::platform_build::PlatformBuild;
use super::publish::{Publisher, Ready};
use super::render::dockerfile;
use super::way::Way;
use super::{Access, Effort, StepError};

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
        let dockerfile = dockerfile(image, &base_name(&image.source))?;
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
        let destination = order.ends.destination;
        let all_made: Vec<Made> = stream::iter(order.platforms)
            .map(|platform| self.make(order, platform, leftovers))
            .buffered(order.platforms.len().max(1))
            .try_collect()
            .await?;
        let (all_built, all_ready): (Vec<_>, Vec<_>) = all_made
            .into_iter()
            .map(|made| (made.built, made.ready))
            .unzip();
        let digest = match order.image.publish {
            Publish::Longshore => {
                let publisher = Publisher {
                    access: self.access,
                    blobs: order.blobs,
                    way: order.way,
                };
                let all_ready = all_ready.into_iter().flatten().collect();
                publisher.publish(all_ready, order.marks).await?
            }
            Publish::Daemon => {
                let push = DaemonPush {
                    access: self.access,
                    docker: &self.docker,
                    destination,
                    leftovers,
                };
                push.publish(all_built.clone(), order.marks).await?
            }
        };
        if self.keep_local {
            self.keep(&all_built, destination, leftovers).await;
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
        let base = BaseImage::of(&order.image.source, order.way, platform).await?;
        let base_layers = layers_of(&base.manifest)?;
        // The daemon pulls the base for itself meanwhile, and the build waits for that: until it is
        // done, layers travel beside it one at a time. Where the daemon pushes, it finds them by
        // their digests and compresses none of them anew.
        let lanes = Semaphore::new(1);
        let seeded = order.blobs.seed(order.way, base_layers.clone(), &lanes);
        let made = async {
            let _slot = self.slots.acquire().await.expect("never closed");
            let temporary_tag = self.temporary_tag(order.ends.destination, &platform.platform);
            let platform_build = PlatformBuild {
                access: self.access,
                docker: &self.docker,
                bases: &self.bases,
                order,
                platform,
                base: &base,
                tag: &temporary_tag,
                leftovers,
            };
            let id = platform_build.run().await?;
            lanes.add_permits(base_layers.len());
            let assembly = match order.image.publish {
                Publish::Daemon => None,
                Publish::Longshore => {
                    let assembly = self.assemble(order, platform, &id, &base, leftovers);
                    Some(assembly.await?)
                }
            };
            let platform = platform.platform.clone();
            let built = BuiltPlatform {
                platform,
                id,
                temporary_tag,
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
        built: &Digest,
        base: &BaseImage,
        leftovers: &Leftovers,
    ) -> Result<Assembly, StepError> {
        let step = Step::Push(platform.platform.clone());
        let (latest, _) = base.time(order.image.source_date_epoch);
        let request = ExportRequest {
            id: built,
            base_layers: base.diff_ids.len(),
            known: &base.layers(),
            settings: LayerSettings {
                latest: Some(latest),
                compression: order.image.compression,
            },
            named: Some(&|name| leftovers.named(name)),
        };
        let export = self.docker.export(request).await;
        let export = export.map_err(StepError::at(step.clone()))?;
        let assembly = Assembly::of_build(
            base,
            &platform.digest,
            export,
            order.marks,
            order.image.source_date_epoch,
        );
        assembly.map_err(StepError::at(step))
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
