//! Repositories that exist and are not what the file says.

use futures_util::stream::{self, StreamExt};

use crate::ecr::{Deviation, Difference};
use crate::event::{Event, Step};
use crate::failure::{Failure as _, chain};
use crate::image::Repository;

use super::observe::PARALLEL_QUESTIONS;
use super::{Access, StepError};

/// A setting of a repository that exists and is not what the file says.
#[derive(Clone, Debug)]
pub struct Drift {
    /// The repository.
    pub repository: Repository,
    /// The setting, as the file calls it.
    pub setting: &'static str,
    /// What differs, or why nobody knows.
    pub difference: Result<Difference, StepError>,
    /// By which the repository's resource tags go.
    arn: String,
}

/// What became of a setting that was not what the file says.
#[derive(Debug)]
pub struct Repair {
    /// The setting.
    pub drift: Drift,
    /// Whether it is now what the file says.
    pub result: Result<(), StepError>,
}

impl Drift {
    pub(super) fn new(repository: &Repository, arn: &str, deviation: Deviation) -> Self {
        Self {
            repository: repository.clone(),
            setting: deviation.setting,
            difference: deviation.difference.map_err(StepError::at(Step::Compare)),
            arn: arn.to_owned(),
        }
    }

    /// Why a repair would fail, as far as that can be known.
    pub fn obstacle(&self) -> Option<StepError> {
        match &self.difference {
            Ok(difference) => {
                let obstacle = difference.obstacle(&self.repository);
                obstacle.map(StepError::at(Step::Repair))
            }
            Err(error) => Some(error.clone()),
        }
    }

    async fn repair(&self, access: &Access) -> Result<(), StepError> {
        let difference = self.difference.as_ref().map_err(Clone::clone)?;
        let Some(ecr) = access.destination.ecr() else {
            return Ok(());
        };
        let repaired = ecr.repair(&self.repository, &self.arn, difference).await;
        repaired.map_err(StepError::at(Step::Repair))
    }
}

/// Makes repositories what the file says. What fails keeps nothing else from being changed.
pub(super) async fn repair(drift: Vec<Drift>, access: &Access) -> Vec<Repair> {
    let repair = async |drift: Drift| {
        let result = drift.repair(access).await;
        let repository = drift.repository.clone();
        access.observer.observe(match &result {
            Ok(()) => Event::RepositoryRepaired {
                repository,
                setting: drift.setting,
            },
            Err(error) => Event::RepositoryFailed {
                repository,
                reason: chain(error),
                hint: error.hint(),
                fails: true,
            },
        });
        Repair { drift, result }
    };
    stream::iter(drift)
        .map(repair)
        .buffered(PARALLEL_QUESTIONS)
        .collect()
        .await
}
