//! Does what the plan says: repositories first, then images side by side, and one more try at the
//! end for those that may succeed then.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Instant;

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use tokio::sync::OnceCell;

use crate::config::ImageSpecification;
use crate::docker::{self, Docker};
use crate::ecr::Creation;
use crate::event::{Event, Step};
use crate::failure::{Failure, Kind, chain};
use crate::image::{Digest, Repository};

use super::build::Builder;
use super::{
    Access, Action, Decision, ImageOutcome, ImagePlan, Outcome, Plan, Status, StepError, make_plan,
};

/// Images worked on at once unless the user says otherwise. A build is bound by one core of the
/// daemon and one upload, and four keep a small CodeBuild machine busy without starving it.
pub const DEFAULT_JOBS: NonZeroUsize = NonZeroUsize::new(4).unwrap();

/// Reads a variable of the environment: where the Docker daemon is.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// An immutable tag holds something else.
#[derive(Debug, thiserror::Error)]
#[error("the tag is immutable and holds `{held}`, which is something else ({reason})")]
struct ImmutableTag {
    held: Digest,
    reason: String,
}

impl Failure for ImmutableTag {
    fn kind(&self) -> Kind {
        Kind::Conflict
    }

    fn hint(&self) -> Option<String> {
        Some("`repositories.on_conflict: keep` accepts what the tag holds".to_owned())
    }
}

/// Applies a plan. The Docker daemon is asked for only when something has to be built; when it
/// cannot be reached then, nothing is changed. Images that failed in a way that a retry can help
/// are planned and done once more at the end: planning again finds what arrived after all.
pub async fn apply(
    plan: Plan,
    access: &Access,
    environment: Environment<'_>,
    jobs: NonZeroUsize,
) -> Result<Outcome, docker::Error> {
    let workshop = Workshop {
        access,
        environment,
        jobs,
        builder: OnceCell::new(),
    };
    if plan.has_changes() {
        workshop.builder().await?;
    }
    let repositories = plan.repositories.clone();
    let mut outcome = workshop.carry_out(plan, Try::First).await;

    let failed = |image: &ImageOutcome| Try::First.postpones(&image.status);
    let indices: Vec<usize> = (0..outcome.images.len())
        .filter(|&index| failed(&outcome.images[index]))
        .collect();
    if !indices.is_empty() {
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
    Ok(outcome)
}

/// Whether a failed image gets another try.
#[derive(Clone, Copy)]
enum Try {
    First,
    Last,
}

impl Try {
    fn postpones(self, status: &Status) -> bool {
        matches!((self, status), (Self::First, Status::Failed(error)) if error.kind().is_retryable())
    }
}

type Creations = BTreeMap<Repository, Result<Creation, StepError>>;

async fn create_repositories(plan: &Plan, access: &Access) -> Creations {
    let creations = plan.create.iter().map(|repository| async move {
        let settings = &plan.repositories.settings;
        let creation = access.ecr.create_repository(repository, settings).await;
        if matches!(creation, Ok(Creation::Created)) {
            let repository = repository.clone();
            access
                .observer
                .observe(Event::RepositoryCreated { repository });
        }
        (
            repository.clone(),
            creation.map_err(StepError::at(Step::Create)),
        )
    });
    join_all(creations).await.into_iter().collect()
}

struct Workshop<'a> {
    access: &'a Access,
    environment: Environment<'a>,
    jobs: NonZeroUsize,
    builder: OnceCell<Builder<'a>>,
}

impl<'a> Workshop<'a> {
    async fn builder(&self) -> Result<&Builder<'a>, docker::Error> {
        let connect = || async {
            let docker = Docker::connect(self.environment).await?;
            Ok(Builder::new(self.access, docker))
        };
        self.builder.get_or_try_init(connect).await
    }

    async fn carry_out(&self, plan: Plan, attempt: Try) -> Outcome {
        let creations = create_repositories(&plan, self.access).await;
        let images = stream::iter(plan.images)
            .map(|plan| self.bring_into_place(plan, &creations, attempt))
            .buffered(self.jobs.get())
            .collect()
            .await;
        let created = creations
            .into_iter()
            .filter(|(_, creation)| matches!(creation, Ok(Creation::Created)))
            .map(|(repository, _)| repository)
            .collect();
        Outcome { created, images }
    }

    async fn bring_into_place(
        &self,
        plan: ImagePlan,
        creations: &Creations,
        attempt: Try,
    ) -> ImageOutcome {
        let status = self
            .status_of(&plan, creations)
            .await
            .unwrap_or_else(Status::Failed);
        let image = plan.destination.clone();
        let event = match &status {
            Status::Done { digest, elapsed } => Some(Event::Finished {
                image,
                digest: digest.clone(),
                elapsed: *elapsed,
            }),
            Status::Failed(error) if attempt.postpones(&status) => Some(Event::Postponed {
                image,
                reason: chain(error),
            }),
            Status::Failed(error) => Some(Event::Failed {
                image,
                reason: chain(error),
                hint: error.hint(),
            }),
            Status::InPlace { .. } | Status::Left => None,
        };
        if let Some(event) = event {
            self.access.observer.observe(event);
        }
        ImageOutcome { plan, status }
    }

    async fn status_of(
        &self,
        plan: &ImagePlan,
        creations: &Creations,
    ) -> Result<Status, StepError> {
        let decision = plan.decision.as_ref().map_err(Clone::clone)?;
        match &decision.action {
            Action::Skip { digest } => Ok(Status::InPlace {
                digest: digest.clone(),
            }),
            Action::NoRepository | Action::Keep { .. } => Ok(Status::Left),
            Action::Conflict { digest } => Err(conflict(digest, decision)),
            Action::Build { base, marks } => {
                let started = Instant::now();
                if let Some(Err(error)) = creations.get(&plan.image.repository) {
                    return Err(error.clone());
                }
                let builder = self.builder().await.map_err(StepError::at(Step::Connect))?;
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

fn conflict(held: &Digest, decision: &Decision) -> StepError {
    let reason = decision.reason.to_string();
    StepError::new(
        Step::Inspect,
        ImmutableTag {
            held: held.clone(),
            reason,
        },
    )
}
