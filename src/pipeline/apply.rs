//! Does what the plan says: repositories first, then images side by side, and one more try at the
//! end for those that may succeed then.

use std::mem;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt};

use crate::config::Repositories;
use crate::event::Event;
use crate::failure::{Failure, Kind};
use crate::image::Location;

use super::attempt::{Attempt, failed};
use super::budget::ration;
use super::cleanup::Cleanup;
use super::conflict::settle_late;
use super::drift::repair;
use super::patience::await_pulls;
use super::planner::plan_images;
use super::prune::{keep, leave, prune};
use super::traffic::Tally;
use super::way::Way;
use super::workshop::Workshop;
use super::{
    Access, Action, Concern, ImageOutcome, ImagePlan, Outcome, Plan, Reason, Status, StepError,
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
    let choices = plan.choices;
    let drift = mem::take(&mut plan.drift);
    let repairs = match choices.drift {
        Concern::Changed => repair(drift, access).await,
        Concern::Ignored | Concern::Shown => Vec::new(),
    };
    let orphans = plan.orphans.take();
    let unlisted = mem::take(&mut plan.unlisted);
    let repositories = plan.repositories.clone();
    let settings = repositories.settings.clone();
    let run = Run {
        access,
        effort,
        repositories,
        workshop: Workshop::new(access, settings, effort, cleanup),
    };
    let images = run.bring_into_place(plan).await;
    run.workshop.tidy().await;

    let is_failed = |image: &ImageOutcome| matches!(image.status, Status::Failed(_));
    let is_whole = unlisted.is_empty() && !images.iter().any(is_failed);
    let pruned = match orphans {
        Some(Ok(orphans)) => Some(Ok(match choices.orphans {
            Concern::Changed if is_whole => prune(orphans, access).await,
            Concern::Changed => keep(orphans, access),
            Concern::Ignored | Concern::Shown => leave(orphans),
        })),
        Some(Err(error)) => Some(Err(error)),
        None => None,
    };
    Outcome {
        created: run.workshop.creations.created(),
        unlisted,
        images,
        repairs,
        pruned,
    }
}

/// Brings images into place.
struct Run<'a> {
    access: &'a Access,
    effort: Effort,
    repositories: Repositories,
    workshop: Workshop<'a>,
}

impl Run<'_> {
    /// Tries all images, then waits for pulls where that is wished, then tries once more what may
    /// succeed now.
    async fn bring_into_place(&self, plan: Plan) -> Vec<ImageOutcome> {
        let (mut images, needed) = self.carry_out_within_budget(plan).await;
        if self.effort.waits {
            self.wait_for_pulls(&mut images, needed).await;
        }
        let postponed = indices(&images, |status| self.first().postpones(status));
        if !postponed.is_empty() {
            tokio::time::sleep(PAUSE_BEFORE_LAST_TRY).await;
            self.workshop.creations.forget_failed();
            let plan = self.plan_again(&images, &postponed).await;
            let again = self.carry_out(plan, Attempt::Last).await;
            try_again(&mut images, &postponed, again);
        }
        images
    }

    fn first(&self) -> Attempt {
        Attempt::First {
            waits: self.effort.waits,
        }
    }

    /// Does what the budget of pulls suffices for; returns how many pulls the plan needed, too.
    async fn carry_out_within_budget(&self, mut plan: Plan) -> (Vec<ImageOutcome>, u64) {
        let needed = ration(&mut plan, self.access, self.effort.waits).await;
        (self.carry_out(plan, self.first()).await, needed)
    }

    /// Goes on with the images that lacked pulls whenever there are more, until none is left or
    /// waiting brings nothing.
    async fn wait_for_pulls(&self, images: &mut [ImageOutcome], mut needed: u64) {
        let client = &self.access.upstreams.client;
        loop {
            let lacking = indices(images, Status::lacks_pulls);
            let mut sources = lacking
                .iter()
                .map(|&index| &images[index].plan.image.source);
            let Some(source) = sources.find_map(Location::reference) else {
                return self.give_up(images, &lacking);
            };
            let source = self.access.upstreams.store.read_at(source).into_owned();
            let read_before = client.counted_manifests(&source.registry);
            await_pulls(self.access, &source, needed.max(1)).await;
            let plan = self.plan_again(images, &lacking).await;
            let (again, still_needed) = self.carry_out_within_budget(plan).await;
            needed = still_needed;
            let is_in_vain = again.iter().all(|image| image.status.lacks_pulls())
                && client.counted_manifests(&source.registry) == read_before;
            try_again(images, &lacking, again);
            if is_in_vain {
                return self.give_up(images, &lacking);
            }
        }
    }

    /// Tells of images that waited that they failed.
    fn give_up(&self, images: &[ImageOutcome], waited: &[usize]) {
        for &index in waited {
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

    async fn carry_out(&self, plan: Plan, attempt: Attempt) -> Vec<ImageOutcome> {
        self.workshop.prepare(&plan).await;
        let observer = &self.access.observer;
        observer.observe(Event::Applying {
            images: plan.images.iter().filter(|it| it.work().is_some()).count(),
        });
        let images = stream::iter(plan.images.into_iter().enumerate())
            .map(async |(index, plan)| (index, self.try_image(plan, attempt).await))
            .buffer_unordered(self.effort.jobs.get());
        let mut images: Vec<(usize, ImageOutcome)> = images.collect().await;
        observer.observe(Event::Applied);
        images.sort_unstable_by_key(|(index, _)| *index);
        images.into_iter().map(|(_, image)| image).collect()
    }

    async fn try_image(&self, mut plan: ImagePlan, attempt: Attempt) -> ImageOutcome {
        let started = Instant::now();
        let tally = Tally::new(&self.access.upstreams.store);
        let tried = self.status_of(&plan, started, &tally).await;
        let traffic = plan.work().map(|_| tally.traffic());
        let status = match tried {
            Ok(status) => status,
            Err(error) if error.kind() == Kind::Conflict && plan.work().is_some() => {
                let on_conflict = self.repositories.on_conflict;
                settle_late(&mut plan, error, on_conflict, self.access).await
            }
            Err(error) => Status::Failed(error),
        };
        let image = ImageOutcome {
            plan,
            status,
            traffic,
        };
        if let Some(event) = attempt.end(&image, started.elapsed()) {
            self.access.observer.observe(event);
        }
        image
    }

    async fn status_of(
        &self,
        plan: &ImagePlan,
        started: Instant,
        tally: &Tally,
    ) -> Result<Status, StepError> {
        let ImagePlan {
            image, destination, ..
        } = plan;
        let decision = plan.decision.as_ref().map_err(Clone::clone)?;
        match &decision.action {
            Action::Skip { digest } => Ok(Status::InPlace {
                digest: digest.clone(),
            }),
            Action::NoRepository | Action::Keep { .. } => Ok(Status::Left),
            Action::Make(work) => {
                let way = Way {
                    source: &image.source,
                    destination,
                    repository: &image.repository,
                    is_new_repository: decision.reason == Reason::NewRepository,
                    tally,
                };
                Ok(Status::Done {
                    digest: self.workshop.make(image, work, way).await?,
                    elapsed: started.elapsed(),
                })
            }
        }
    }
}

/// Where the images stand that such a thing became of.
fn indices(images: &[ImageOutcome], became: impl Fn(&Status) -> bool) -> Vec<usize> {
    let images = images.iter().enumerate();
    images
        .filter(|(_, image)| became(&image.status))
        .map(|(index, _)| index)
        .collect()
}

/// Takes what became of another try of some of these images.
fn try_again(images: &mut [ImageOutcome], indices: &[usize], again: Vec<ImageOutcome>) {
    for (&index, image) in indices.iter().zip(again) {
        images[index].try_again(image);
    }
}
