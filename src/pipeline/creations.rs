//! The repositories of ECR's that had to be created.

use crate::ecr::{Creation, RepositorySettings};
use crate::event::{Event, Step};
use crate::image::Repository;
use crate::once::Once;

use super::{Access, StepError};

/// Creates repositories, each once however many images need it, and knows what became of them.
pub(super) struct Creations<'a> {
    access: &'a Access,
    settings: RepositorySettings,
    tried: Once<Repository, Result<Creation, StepError>>,
}

impl<'a> Creations<'a> {
    pub(super) fn new(access: &'a Access, settings: RepositorySettings) -> Self {
        Self {
            access,
            settings,
            tried: Once::default(),
        }
    }

    /// Creates a repository for the first image that needs it; the others wait, and fail where that
    /// failed. Elsewhere than in ECR there is nothing to create.
    pub(super) async fn create(&self, repository: &Repository) -> Result<(), StepError> {
        let Some(ecr) = self.access.destination.ecr() else {
            return Ok(());
        };
        let create = || async {
            let creation = ecr.create_repository(repository, &self.settings).await;
            if matches!(creation, Ok(Creation::Created)) {
                let repository = repository.clone();
                self.access
                    .observer
                    .observe(Event::RepositoryCreated { repository });
            }
            creation.map_err(StepError::at(Step::Create))
        };
        let tried = self.tried.cell(repository.clone());
        let creation = tried.get_or_init(create).await;
        creation.as_ref().map(|_| ()).map_err(Clone::clone)
    }

    /// What could not be created may be now.
    pub(super) fn forget_failed(&self) {
        self.tried.retain(Result::is_ok);
    }

    /// What was created, in the order of the names.
    pub(super) fn created(&self) -> Vec<Repository> {
        let is_created = |creation: &_| matches!(creation, Ok(Creation::Created));
        let mut created = self.tried.keys_with(is_created);
        created.sort_unstable();
        created
    }
}
