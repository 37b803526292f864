//! Makes an image in the way that its plan says.

use tokio::sync::OnceCell;

use crate::config::{ImageSpecification, Publish};
use crate::ecr::RepositorySettings;
use crate::event::{Event, Step};
use crate::failure::chain;
use crate::image::{Digest, Location};

use super::build::{Builder, Order};
use super::cleanup::Cleanup;
use super::copy::Copier;
use super::creations::Creations;
use super::daemon::tell_missing;
use super::derive::Derivation;
use super::docker_ends::DockerEnds;
use super::marks::Marks;
use super::part::Part;
use super::publish::Publisher;
use super::unpacked::Unpacked;
use super::way::Way;
use super::{Access, Base, Effort, Plan, StepError, Work};

/// Makes the images of a run, and has what they share.
pub(super) struct Workshop<'a> {
    access: &'a Access,
    effort: Effort,
    cleanup: &'a Cleanup,
    /// The repositories that images went to and that were not there.
    pub(super) creations: Creations<'a>,
    copier: Copier<'a>,
    builder: OnceCell<Result<Builder<'a>, StepError>>,
}

/// An image that is made of a base.
#[derive(Clone, Copy)]
struct Job<'a> {
    image: &'a ImageSpecification,
    base: &'a Base,
    marks: &'a Marks,
    way: Way<'a>,
}

impl<'a> Workshop<'a> {
    /// `settings` are those of repositories that have to be created.
    pub(super) fn new(
        access: &'a Access,
        settings: RepositorySettings,
        effort: Effort,
        cleanup: &'a Cleanup,
    ) -> Self {
        Self {
            access,
            effort,
            cleanup,
            creations: Creations::new(access, settings),
            copier: Copier::new(access),
            builder: OnceCell::new(),
        }
    }

    /// Asks for the Docker daemon where a plan needs it, so that a missing one is told before
    /// anything else happens.
    pub(super) async fn prepare(&self, plan: &Plan) {
        if plan.needs_daemon() {
            let _ = self.builder().await;
        }
    }

    /// Makes an image, and returns the digest that its tag then has.
    pub(super) async fn make<'w>(
        &self,
        image: &'w ImageSpecification,
        work: &'w Work,
        way: Way<'w>,
    ) -> Result<Digest, StepError> {
        let job = |base: &'w Base, marks: &'w Marks| Job {
            image,
            base,
            marks,
            way,
        };
        match work {
            Work::Build { base, marks } => self.build(job(base, marks)).await,
            Work::Derive { base, marks } => self.derive(job(base, marks)).await,
            Work::Export { base, marks } => self.export(job(base, marks)).await,
            Work::Copy { source, part } => {
                self.begin(way).await?;
                self.copier.copy(way, source, part, image.referrers).await
            }
            Work::Refer { held, lacking, .. } => {
                self.begin(way).await?;
                self.copier.refer(way, lacking).await?;
                Ok(held.clone())
            }
        }
    }

    /// Leaves the Docker daemon as it was.
    pub(super) async fn tidy(&self) {
        if let Some(Ok(builder)) = self.builder.get() {
            builder.tidy().await;
        }
    }

    /// Connects to the daemon once; where that fails it is told once, for all images.
    async fn builder(&self) -> Result<&Builder<'a>, StepError> {
        let connect = || async {
            let docker = self.access.upstreams.daemon.connect().await;
            let docker = docker.inspect_err(|error| tell_missing(error, &*self.access.observer))?;
            let docker = docker.clone();
            Ok(Builder::new(self.access, docker, self.effort, self.cleanup).await)
        };
        self.builder
            .get_or_init(connect)
            .await
            .as_ref()
            .map_err(Clone::clone)
    }

    async fn build(&self, job: Job<'_>) -> Result<Digest, StepError> {
        let Job {
            image,
            base,
            marks,
            way,
        } = job;
        let ends = DockerEnds::of(image, way.destination);
        let ends = ends.map_err(StepError::at(Step::Render))?;
        let builder = self.builder().await?;
        let platforms = builder.platforms(image, base).await?;
        let engine = builder.engine(image).await?;
        self.begin(way).await?;
        let unpacked = match image.publish {
            Publish::Longshore => self.unpack_local(job).await?,
            Publish::Daemon => None,
        };
        let way = way.through(unpacked.as_ref());
        self.access.observer.observe(way.moving());
        let order = Order {
            image,
            ends,
            way,
            platforms: &platforms,
            marks,
            blobs: &self.copier.blobs,
            engine,
        };
        builder.build(order).await
    }

    /// Derives an image. Where only the configuration of a base tells that it cannot be, it is built
    /// if the user lets it.
    async fn derive(&self, job: Job<'_>) -> Result<Digest, StepError> {
        let Job {
            image,
            base,
            marks,
            way,
        } = job;
        let access = self.access;
        let derivation = Derivation {
            image,
            upstreams: &access.upstreams,
            base,
            marks,
        };
        let unpacked = self.unpack_local(job).await?;
        let way = way.through(unpacked.as_ref());
        let images = match derivation.derive(way).await? {
            Ok(images) => images,
            Err(reason) => {
                let message = format!("it is built and not derived: {}", chain(&reason));
                let image = way.destination.clone();
                access.observer.observe(Event::Warning { image, message });
                return self.build(Job { way, ..job }).await;
            }
        };
        self.begin(way).await?;
        access.observer.observe(way.moving());
        let blobs = &self.copier.blobs;
        let publisher = Publisher { access, blobs, way };
        publisher.publish(images, marks).await
    }

    /// Takes an image out of the Docker daemon, and copies it like any other.
    async fn export(&self, job: Job<'_>) -> Result<Digest, StepError> {
        self.begin(job.way).await?;
        let unpacked = self.unpack(job).await?;
        let part = Part::Planned(unpacked.manifest.clone());
        let way = job.way.through(Some(&unpacked));
        self.copier.copy(way, &job.base.digest, &part, false).await
    }

    /// Takes a source out of the Docker daemon, where it is in there.
    async fn unpack_local(&self, job: Job<'_>) -> Result<Option<Unpacked>, StepError> {
        match job.way.source {
            Location::Daemon(_) => self.unpack(job).await.map(Some),
            Location::Registry(_) | Location::Layout(_) => Ok(None),
        }
    }

    async fn unpack(&self, job: Job<'_>) -> Result<Unpacked, StepError> {
        self.access.observer.observe(Event::Reached {
            image: job.way.destination.clone(),
            step: Step::Export,
        });
        let docker = self.access.upstreams.daemon.connect().await?;
        Unpacked::export(docker, &job.base.digest, job.image.compression, job.marks).await
    }

    /// Sees to it that there is a repository to go to.
    async fn begin(&self, way: Way<'_>) -> Result<(), StepError> {
        if way.is_new_repository {
            self.creations.create(way.repository).await?;
        }
        let image = way.destination.clone();
        self.access.observer.observe(Event::Started { image });
        Ok(())
    }
}
