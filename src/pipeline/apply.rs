//! Does what the plan says: repositories first, then images side by side, and one more try at the
//! end for those that may succeed then.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt};
use tokio::sync::OnceCell;

use crate::config::{ImageSpecification, Publish, Repositories};
use crate::ecr::{Creation, Ecr};
use crate::event::{Event, Step};
use crate::failure::{Failure, Kind, chain};
use crate::image::{Digest, Location, Repository};

use super::budget::ration;
use super::build::{Builder, Order};
use super::cleanup::Cleanup;
use super::conflict::settle_late;
use super::copy::Copier;
use super::daemon::tell_missing;
use super::derive::Derivation;
use super::docker_ends::DockerEnds;
use super::drift::repair;
use super::marks::Marks;
use super::part::Part;
use super::patience::await_pulls;
use super::planner::plan_images;
use super::prune::{leave, prune};
use super::publish::Publisher;
use super::traffic::Tally;
use super::unpacked::Unpacked;
use super::way::Way;
use super::{
    Access, Action, Base, Concern, ImageOutcome, ImagePlan, Outcome, Plan, Reason, Status,
    StepError, Work,
};

/// Images worked on at once unless the user says otherwise. A build is bound by one core of the
/// daemon and one upload, and four keep a small CodeBuild machine busy without starving it.
pub const DEFAULT_JOBS: NonZeroUsize = NonZeroUsize::new(4).unwrap();

/// How long the last try waits: what was throttled or restarting needs a moment.
const PAUSE_BEFORE_LAST_TRY: Duration = Duration::from_secs(2);

/// How much is done at once, and how long it may take.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// How many images are worked on at once.
    pub jobs: NonZeroUsize,
    /// How many builds the Docker daemon does at once, of all images together; `None` for as many as
    /// it has processors.
    pub build_jobs: Option<NonZeroUsize>,
    /// Whether what is built stays in the Docker daemon, under the destination's name.
    pub keep_local: bool,
    /// Whether images that a registry's budget of pulls does not suffice for wait until it does;
    /// they fail otherwise.
    pub waits: bool,
}

/// Applies a plan: repairs repositories, then brings images into place, then deletes what the file
/// no longer names, if nothing that it names failed. The Docker daemon is asked for only when something has to be built; where it
/// cannot be used nothing is built, and what is copied is copied all the same. Images that failed
/// in a way that a retry can help are planned and done once more at the end: planning again finds
/// what arrived after all. What a registry's budget of pulls does not suffice for is told before
/// anything moves, and is left out or waits.
///
/// Nothing stays in the Docker daemon but what was there before, unless that is wished. Where the
/// future is dropped, tasks of `cleanup` see to it.
pub async fn apply(mut plan: Plan, access: &Access, effort: Effort, cleanup: &Cleanup) -> Outcome {
    let drift = std::mem::take(&mut plan.drift);
    let repairs = match plan.choices.drift {
        Concern::Changed => repair(drift, access).await,
        Concern::Ignored | Concern::Shown => Vec::new(),
    };
    let orphans = plan.orphans.take();
    let may_prune = plan.choices.orphans == Concern::Changed;
    let workshop = Workshop {
        access,
        effort,
        cleanup,
        repositories: plan.repositories.clone(),
        builder: OnceCell::new(),
        copier: Copier::new(access),
        creations: Mutex::default(),
    };
    let unlisted = plan.unlisted.clone();
    let (mut images, needed) = workshop.carry_out_within_budget(plan).await;
    if effort.waits {
        workshop.wait_for_pulls(&mut images, needed).await;
    }

    let postponed = |image: &ImageOutcome| Try::First.postpones(&image.status);
    let indices: Vec<usize> = (0..images.len())
        .filter(|&index| postponed(&images[index]))
        .collect();
    if !indices.is_empty() {
        tokio::time::sleep(PAUSE_BEFORE_LAST_TRY).await;
        workshop.forget_failed_creations();
        let plan = workshop.plan_again(&images, &indices).await;
        let again = workshop.carry_out(plan, Try::Last).await;
        for (index, image) in indices.into_iter().zip(again) {
            images[index].try_again(image);
        }
    }
    if let Some(Ok(builder)) = workshop.builder.get() {
        builder.tidy().await;
    }
    let is_failed = |image: &ImageOutcome| matches!(image.status, Status::Failed(_));
    let is_whole = unlisted.is_empty() && !images.iter().any(is_failed);
    let pruned = match orphans {
        Some(Ok(orphans)) if may_prune && is_whole => Some(Ok(prune(orphans, access).await)),
        Some(Ok(orphans)) => {
            if may_prune && !orphans.is_empty() {
                access.observer.observe(Event::OrphansKept);
            }
            Some(Ok(leave(orphans)))
        }
        Some(Err(error)) => Some(Err(error)),
        None => None,
    };
    Outcome {
        created: workshop.created(),
        unlisted,
        images,
        repairs,
        pruned,
    }
}

/// Whether a failed image gets another try.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Try {
    First,
    Last,
}

impl Try {
    /// A missing daemon was already waited for, and all images share it.
    fn postpones(self, status: &Status) -> bool {
        match status {
            Status::Failed(error) => {
                self == Self::First && error.kind().is_retryable() && *error.step() != Step::Connect
            }
            _ => false,
        }
    }
}

struct Workshop<'a> {
    access: &'a Access,
    effort: Effort,
    cleanup: &'a Cleanup,
    repositories: Repositories,
    builder: OnceCell<Result<Builder<'a>, StepError>>,
    copier: Copier<'a>,
    /// What became of the repositories that had to be created.
    creations: Mutex<BTreeMap<Repository, Arc<CreationCell>>>,
}

/// What became of one repository; empty while it is being created.
type CreationCell = OnceCell<Result<Creation, StepError>>;

impl<'a> Workshop<'a> {
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

    /// Does what the budget of pulls suffices for; returns how many pulls the plan needed, too.
    async fn carry_out_within_budget(&self, mut plan: Plan) -> (Vec<ImageOutcome>, u64) {
        let needed = ration(&mut plan, self.access, self.effort.waits).await;
        (self.carry_out(plan, Try::First).await, needed)
    }

    /// Goes on with the images that lacked pulls whenever there are more, until none is left or
    /// waiting brings nothing.
    async fn wait_for_pulls(&self, images: &mut [ImageOutcome], mut needed: u64) {
        let client = &self.access.upstreams.client;
        loop {
            let indices: Vec<usize> = (0..images.len())
                .filter(|&index| lacks_pulls(&images[index].status))
                .collect();
            let mut sources = indices
                .iter()
                .map(|&index| &images[index].plan.image.source);
            let Some(source) = sources.find_map(Location::reference) else {
                return self.give_up(images, &indices);
            };
            let source = self.access.upstreams.store.read_at(source).into_owned();
            let read_before = client.counted_manifests(&source.registry);
            await_pulls(self.access, &source, needed.max(1)).await;
            let plan = self.plan_again(images, &indices).await;
            let (again, still_needed) = self.carry_out_within_budget(plan).await;
            needed = still_needed;
            let is_in_vain = again.iter().all(|image| lacks_pulls(&image.status))
                && client.counted_manifests(&source.registry) == read_before;
            for (&index, image) in indices.iter().zip(again) {
                images[index].try_again(image);
            }
            if is_in_vain {
                return self.give_up(images, &indices);
            }
        }
    }

    /// Tells of images that waited that they failed.
    fn give_up(&self, images: &[ImageOutcome], indices: &[usize]) {
        for &index in indices {
            let ImageOutcome { plan, status, .. } = &images[index];
            if let Status::Failed(error) = status {
                self.access.observer.observe(failed(plan, error));
            }
        }
    }

    /// Looks again at some of these images.
    async fn plan_again(&self, images: &[ImageOutcome], indices: &[usize]) -> Plan {
        let again = indices
            .iter()
            .map(|&index| images[index].plan.image.clone());
        plan_images(again.collect(), self.repositories.clone(), self.access).await
    }

    async fn carry_out(&self, plan: Plan, attempt: Try) -> Vec<ImageOutcome> {
        if plan.needs_daemon() {
            // Asked for first: a missing daemon is told before anything else happens.
            let _ = self.builder().await;
        }
        let observer = &self.access.observer;
        observer.observe(Event::Applying {
            images: plan.images.iter().filter(|it| it.work().is_some()).count(),
        });
        let work = plan.images.into_iter().enumerate().map(|(index, plan)| {
            let work = self.bring_into_place(plan, attempt);
            async move { (index, work.await) }
        });
        let mut images: Vec<(usize, ImageOutcome)> = stream::iter(work)
            .buffer_unordered(self.effort.jobs.get())
            .collect()
            .await;
        observer.observe(Event::Applied);
        images.sort_unstable_by_key(|(index, _)| *index);
        images.into_iter().map(|(_, image)| image).collect()
    }

    /// Creates a repository of ECR's for the first image that needs it; the others wait.
    async fn create(&self, ecr: &Ecr, repository: &Repository) -> Result<(), StepError> {
        let cell = Arc::clone(self.creations().entry(repository.clone()).or_default());
        let create = || async {
            let settings = &self.repositories.settings;
            let creation = ecr.create_repository(repository, settings).await;
            if matches!(creation, Ok(Creation::Created)) {
                let repository = repository.clone();
                self.access
                    .observer
                    .observe(Event::RepositoryCreated { repository });
            }
            creation.map_err(StepError::at(Step::Create))
        };
        let creation = cell.get_or_init(create).await;
        creation.as_ref().map(|_| ()).map_err(Clone::clone)
    }

    /// What could not be created may be now.
    fn forget_failed_creations(&self) {
        self.creations()
            .retain(|_, cell| matches!(cell.get(), Some(Ok(_))));
    }

    fn creations(&self) -> MutexGuard<'_, BTreeMap<Repository, Arc<CreationCell>>> {
        self.creations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn created(&self) -> Vec<Repository> {
        let creations = self.creations();
        let created = |cell: &CreationCell| matches!(cell.get(), Some(Ok(Creation::Created)));
        let created = creations.iter().filter(|(_, cell)| created(cell));
        created.map(|(repository, _)| repository.clone()).collect()
    }

    async fn bring_into_place(&self, mut plan: ImagePlan, attempt: Try) -> ImageOutcome {
        let started = Instant::now();
        let tally = Tally::new(&self.access.upstreams.store);
        let traffic = |plan: &ImagePlan| plan.work().map(|_| tally.traffic());
        let (status, traffic) = match self.status_of(&plan, started, &tally).await {
            Ok(status) => (status, traffic(&plan)),
            Err(error) if error.kind() == Kind::Conflict && plan.work().is_some() => {
                let (traffic, on_conflict) = (traffic(&plan), self.repositories.on_conflict);
                let status = settle_late(&mut plan, error, on_conflict, self.access).await;
                (status, traffic)
            }
            Err(error) => (Status::Failed(error), traffic(&plan)),
        };
        let bytes = traffic.map_or(0, |traffic| traffic.bytes);
        let waits = self.effort.waits && attempt == Try::First;
        let event = if waits && lacks_pulls(&status) {
            begun_and_postponed(&plan, &status)
        } else {
            end_of(&plan, &status, attempt, bytes, started)
        };
        if let Some(event) = event {
            self.access.observer.observe(event);
        }
        ImageOutcome {
            plan,
            status,
            traffic,
        }
    }

    async fn status_of(
        &self,
        plan: &ImagePlan,
        started: Instant,
        tally: &Tally,
    ) -> Result<Status, StepError> {
        let decision = plan.decision.as_ref().map_err(Clone::clone)?;
        match &decision.action {
            Action::Skip { digest } => Ok(Status::InPlace {
                digest: digest.clone(),
            }),
            Action::NoRepository | Action::Keep { .. } => Ok(Status::Left),
            Action::Make(work) => {
                let digest = self.make(plan, work, &decision.reason, tally).await?;
                Ok(Status::Done {
                    digest,
                    elapsed: started.elapsed(),
                })
            }
        }
    }

    async fn make(
        &self,
        plan: &ImagePlan,
        work: &Work,
        reason: &Reason,
        tally: &Tally,
    ) -> Result<Digest, StepError> {
        let ImagePlan {
            image, destination, ..
        } = plan;
        let is_new = *reason == Reason::NewRepository;
        let way = Way {
            source: &image.source,
            destination,
            repository: &image.repository,
            is_new_repository: is_new,
            tally,
        };
        match work {
            Work::Build { base, marks } => self.build(plan, way, base, marks).await,
            Work::Derive { base, marks } => self.derive(plan, way, base, marks).await,
            Work::Export { base, marks } => self.export(plan, way, base, marks).await,
            Work::Copy { source, part } => {
                self.begin(plan, is_new).await?;
                self.copier.copy(way, source, part, image.referrers).await
            }
            Work::Refer { held, lacking, .. } => {
                self.begin(plan, is_new).await?;
                self.copier
                    .refer(image, destination, lacking, tally)
                    .await?;
                Ok(held.clone())
            }
        }
    }

    async fn build(
        &self,
        plan: &ImagePlan,
        way: Way<'_>,
        base: &Base,
        marks: &Marks,
    ) -> Result<Digest, StepError> {
        let image = &plan.image;
        let ends = DockerEnds::of(image, &plan.destination);
        let ends = ends.map_err(StepError::at(Step::Render))?;
        let builder = self.builder().await?;
        let platforms = builder.platforms(image, base).await?;
        let engine = builder.engine(image).await?;
        self.begin(plan, way.is_new_repository).await?;
        let unpacked = if image.publish == Publish::Longshore && is_local(image) {
            Some(self.unpack(plan, base, marks).await?)
        } else {
            None
        };
        let way = way.through(unpacked.as_ref());
        self.moving(way);
        let blobs = &self.copier.blobs;
        let order = Order {
            image,
            ends,
            way,
            platforms: &platforms,
            marks,
            blobs,
            engine,
        };
        builder.build(order).await
    }

    /// Derives an image. Where only the configuration of a base tells that it cannot be, it is built
    /// if the user lets it.
    async fn derive(
        &self,
        plan: &ImagePlan,
        way: Way<'_>,
        base: &Base,
        marks: &Marks,
    ) -> Result<Digest, StepError> {
        let access = self.access;
        let derivation = Derivation {
            image: &plan.image,
            upstreams: &access.upstreams,
            base,
            marks,
        };
        let unpacked = if is_local(&plan.image) {
            Some(self.unpack(plan, base, marks).await?)
        } else {
            None
        };
        let read = way.through(unpacked.as_ref());
        let images = match derivation.derive(read).await? {
            Ok(images) => images,
            Err(reason) => {
                let message = format!("it is built and not derived: {}", chain(&reason));
                let image = plan.destination.clone();
                access.observer.observe(Event::Warning { image, message });
                return self.build(plan, way, base, marks).await;
            }
        };
        let way = read;
        self.begin(plan, way.is_new_repository).await?;
        self.moving(way);
        let blobs = &self.copier.blobs;
        let publisher = Publisher { access, blobs, way };
        publisher.publish(images, marks).await
    }

    /// Takes an image out of the Docker daemon, and copies it like any other.
    async fn export(
        &self,
        plan: &ImagePlan,
        way: Way<'_>,
        base: &Base,
        marks: &Marks,
    ) -> Result<Digest, StepError> {
        self.begin(plan, way.is_new_repository).await?;
        let unpacked = self.unpack(plan, base, marks).await?;
        let part = Part::Planned(unpacked.manifest.clone());
        let way = way.through(Some(&unpacked));
        self.copier.copy(way, &base.digest, &part, false).await
    }

    /// Takes a source out of the Docker daemon.
    async fn unpack(
        &self,
        plan: &ImagePlan,
        base: &Base,
        marks: &Marks,
    ) -> Result<Unpacked, StepError> {
        let ImagePlan {
            image, destination, ..
        } = plan;
        self.access.observer.observe(Event::Reached {
            image: destination.clone(),
            step: Step::Export,
        });
        let docker = self.access.upstreams.daemon.connect().await?;
        Unpacked::export(docker, &base.digest, image.compression, marks).await
    }

    fn moving(&self, way: Way<'_>) {
        self.access.observer.observe(Event::Moving {
            image: way.destination.clone(),
            volume: Arc::clone(&way.tally.volume),
        });
    }

    async fn begin(&self, plan: &ImagePlan, is_new_repository: bool) -> Result<(), StepError> {
        if let (true, Some(ecr)) = (is_new_repository, self.access.destination.ecr()) {
            self.create(ecr, &plan.image.repository).await?;
        }
        let image = plan.destination.clone();
        self.access.observer.observe(Event::Started { image });
        Ok(())
    }
}

/// Whether the source is in the Docker daemon.
fn is_local(image: &ImageSpecification) -> bool {
    matches!(image.source, Location::Daemon(_))
}

/// What to say of an image at the end of a try. Of one that was never touched there is nothing to
/// say, and a missing daemon is told once for all.
fn end_of(
    plan: &ImagePlan,
    status: &Status,
    attempt: Try,
    bytes: u64,
    started: Instant,
) -> Option<Event> {
    let image = plan.destination.clone();
    match status {
        Status::Done { digest, .. } => Some(Event::Finished {
            image,
            digest: digest.clone(),
            bytes,
            elapsed: started.elapsed(),
        }),
        Status::InPlace { digest } if attempt == Try::Last || plan.work().is_some() => {
            Some(Event::Finished {
                image,
                digest: digest.clone(),
                bytes,
                elapsed: started.elapsed(),
            })
        }
        // Both are told once for all.
        Status::Failed(error) if matches!(error.step(), Step::Connect | Step::Read) => None,
        Status::Failed(error) if attempt.postpones(status) => Some(Event::Postponed {
            image,
            reason: error.to_string(),
        }),
        Status::Failed(error) => Some(failed(plan, error)),
        Status::InPlace { .. } | Status::Left => None,
    }
}

/// What to say of an image that waits for pulls: nothing where it was not begun.
fn begun_and_postponed(plan: &ImagePlan, status: &Status) -> Option<Event> {
    match (status, &plan.decision) {
        (Status::Failed(error), Ok(_)) => Some(Event::Postponed {
            image: plan.destination.clone(),
            reason: error.to_string(),
        }),
        _ => None,
    }
}

fn failed(plan: &ImagePlan, error: &StepError) -> Event {
    Event::Failed {
        image: plan.destination.clone(),
        reason: chain(error),
        hint: error.hint(),
    }
}

/// Whether an image failed because a registry allows no more pulls.
fn lacks_pulls(status: &Status) -> bool {
    matches!(status, Status::Failed(error) if error.kind() == Kind::Exhausted)
}
