//! Which repositories have the referrers API.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{Mutex as Turns, OwnedMutexGuard};

use crate::image::Repository;

/// What the repositories of one registry taught. Some registries lead to others, so that one may
/// have the API and another not.
#[derive(Default)]
pub(super) struct ReferrersApi(Mutex<HashMap<Repository, Arc<Turns<Knowledge>>>>);

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Knowledge {
    #[default]
    Nothing,
    Exists,
    Lacks,
}

/// The right to ask a repository, alone for as long as it is not known whether it answers.
pub(super) struct Turn(Option<OwnedMutexGuard<Knowledge>>);

impl ReferrersApi {
    /// Waits until this question may be asked; `None` where the repository is known to lack the API.
    pub(super) async fn turn(&self, repository: &Repository) -> Option<Turn> {
        let knowledge = {
            let mut repositories = self.0.lock();
            let knowledge = repositories.entry(repository.clone());
            Arc::clone(knowledge.or_default())
        };
        let knowledge = knowledge.lock_owned().await;
        match *knowledge {
            Knowledge::Nothing => Some(Turn(Some(knowledge))),
            Knowledge::Exists => Some(Turn(None)),
            Knowledge::Lacks => None,
        }
    }
}

impl Turn {
    /// The repository answered as the API does, or in a way that shows that it has none.
    pub(super) fn learn(self, exists: bool) {
        if let Some(mut knowledge) = self.0 {
            *knowledge = if exists {
                Knowledge::Exists
            } else {
                Knowledge::Lacks
            };
        }
    }
}
