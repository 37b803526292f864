//! Does what the plan says: repositories first, then images side by side, and one more try at the
//! end for those that may succeed then.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt};
use tokio::sync::OnceCell;

use crate::config::ImageSpecification;
use crate::docker::Docker;
use crate::ecr::Creation;
use crate::event::{Event, Step};
use crate::failure::{Failure, chain};
use crate::image::Repository;

use super::build::Builder;
use super::observe::PARALLEL_QUESTIONS;
use super::{Access, Action, ImageOutcome, ImagePlan, Outcome, Plan, Status, StepError, make_plan};

/// Images worked on at once unless the user says otherwise. A build is bound by one core of the
/// daemon and one upload, and four keep a small CodeBuild machine busy without starving it.
pub const DEFAULT_JOBS: NonZeroUsize = NonZeroUsize::new(4).unwrap();

/// How long the last try waits: what was throttled or restarting needs a moment.
const PAUSE_BEFORE_LAST_TRY: Duration = Duration::from_secs(2);

/// Reads a variable of the environment: where the Docker daemon is.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Applies a plan. The Docker daemon is asked for only when something has to be built; where it
/// cannot be used nothing is changed. Images that failed in a way that a retry can help are planned
/// and done once more at the end: planning again finds what arrived after all.
pub async fn apply(
    plan: Plan,
    access: &Access,
    environment: Environment<'_>,
    jobs: NonZeroUsize,
) -> Outcome {
    let workshop = Workshop {
        access,
        environment,
        jobs,
        builder: OnceCell::new(),
    };
    let repositories = plan.repositories.clone();
    let mut outcome = workshop.carry_out(plan, Try::First).await;

    let postponed = |image: &ImageOutcome| Try::First.postpones(&image.status);
    let indices: Vec<usize> = (0..outcome.images.len())
        .filter(|&index| postponed(&outcome.images[index]))
        .collect();
    if !indices.is_empty() {
        tokio::time::sleep(PAUSE_BEFORE_LAST_TRY).await;
        let images = indices
            .iter()
            .map(|&index| outcome.images[index].plan.image.clone());
        let images: Vec<ImageSpecification> = images.collect();
        let plan = make_plan(images, repositories, access).await;
        let again = workshop.carry_out(plan, Try::Last).await;
        outcome.created.extend(again.created);
        for (index, image) in indices.into_iter().zip(again.images) {
            outcome.images[index] = image;
        }
    }
    outcome
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

type Creations = BTreeMap<Repository, Result<Creation, StepError>>;

struct Workshop<'a> {
    access: &'a Access,
    environment: Environment<'a>,
    jobs: NonZeroUsize,
    builder: OnceCell<Result<Builder<'a>, StepError>>,
}

impl<'a> Workshop<'a> {
    /// Connects to the daemon once; where that fails it is told once, for all images.
    async fn builder(&self) -> Result<&Builder<'a>, StepError> {
        let connect = || async {
            let docker = Docker::connect(self.environment).await;
            docker
                .map(|docker| Builder::new(self.access, docker))
                .map_err(|error| {
                    let (reason, hint) = (chain(&error), error.hint());
                    self.access
                        .observer
                        .observe(Event::NoDocker { reason, hint });
                    StepError::new(Step::Connect, error)
                })
        };
        self.builder
            .get_or_init(connect)
            .await
            .as_ref()
            .map_err(Clone::clone)
    }

    async fn carry_out(&self, plan: Plan, attempt: Try) -> Outcome {
        let creations = if plan.has_changes() && self.builder().await.is_ok() {
            self.create_repositories(&plan).await
        } else {
            Creations::new()
        };
        let work = plan.images.into_iter().enumerate().map(|(index, plan)| {
            let work = self.bring_into_place(plan, &creations, attempt);
            async move { (index, work.await) }
        });
        let mut images: Vec<(usize, ImageOutcome)> = stream::iter(work)
            .buffer_unordered(self.jobs.get())
            .collect()
            .await;
        images.sort_unstable_by_key(|(index, _)| *index);
        let created = creations
            .into_iter()
            .filter(|(_, creation)| matches!(creation, Ok(Creation::Created)))
            .map(|(repository, _)| repository)
            .collect();
        Outcome {
            created,
            images: images.into_iter().map(|(_, image)| image).collect(),
        }
    }

    async fn create_repositories(&self, plan: &Plan) -> Creations {
        let settings = &plan.repositories.settings;
        let create = async |repository: &Repository| {
            let creation = self
                .access
                .ecr
                .create_repository(repository, settings)
                .await;
            if matches!(creation, Ok(Creation::Created)) {
                let repository = repository.clone();
                self.access
                    .observer
                    .observe(Event::RepositoryCreated { repository });
            }
            (
                repository.clone(),
                creation.map_err(StepError::at(Step::Create)),
            )
        };
        stream::iter(&plan.create)
            .map(create)
            .buffer_unordered(PARALLEL_QUESTIONS)
            .collect()
            .await
    }

    async fn bring_into_place(
        &self,
        plan: ImagePlan,
        creations: &Creations,
        attempt: Try,
    ) -> ImageOutcome {
        let started = Instant::now();
        let status = match self.status_of(&plan, creations, started).await {
            Ok(status) => status,
            Err(error) => Status::Failed(error),
        };
        if let Some(event) = end_of(&plan, &status, attempt, started) {
            self.access.observer.observe(event);
        }
        ImageOutcome { plan, status }
    }

    async fn status_of(
        &self,
        plan: &ImagePlan,
        creations: &Creations,
        started: Instant,
    ) -> Result<Status, StepError> {
        let decision = plan.decision.as_ref().map_err(Clone::clone)?;
        match &decision.action {
            Action::Skip { digest } => Ok(Status::InPlace {
                digest: digest.clone(),
            }),
            Action::NoRepository | Action::Keep { .. } => Ok(Status::Left),
            Action::Build { base, marks } => {
                let builder = self.builder().await?;
                if let Some(Err(error)) = creations.get(&plan.image.repository) {
                    return Err(error.clone());
                }
                let image = plan.destination.clone();
                self.access.observer.observe(Event::Started { image });
                let digest = builder
                    .build(&plan.image, &plan.destination, base, marks)
                    .await?;
                Ok(Status::Done {
                    digest,
                    elapsed: started.elapsed(),
                })
            }
        }
    }
}

/// What to say of an image at the end of a try. Of one that was never touched there is nothing to
/// say, and a missing daemon is told once for all.
fn end_of(plan: &ImagePlan, status: &Status, attempt: Try, started: Instant) -> Option<Event> {
    let image = plan.destination.clone();
    match status {
        Status::Done { digest, .. } => Some(Event::Finished {
            image,
            digest: digest.clone(),
            elapsed: started.elapsed(),
        }),
        Status::InPlace { digest } if attempt == Try::Last => Some(Event::Finished {
            image,
            digest: digest.clone(),
            elapsed: started.elapsed(),
        }),
        Status::Failed(error) if *error.step() == Step::Connect => None,
        Status::Failed(error) if attempt.postpones(status) => Some(Event::Postponed {
            image,
            reason: error.to_string(),
        }),
        Status::Failed(error) => Some(Event::Failed {
            image,
            reason: chain(error),
            hint: error.hint(),
        }),
        Status::InPlace { .. } | Status::Left => None,
    }
}
