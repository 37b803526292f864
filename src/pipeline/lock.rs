//! A plan's lock.

use futures_util::stream::{self, StreamExt};

use crate::config::Lock;
use crate::image::{Digest, Location};

use super::observe::{PARALLEL_QUESTIONS, resolve};
use super::{Access, ImagePlan, Plan, StepError};

/// The lock of a plan; `None` unless every tag was resolved. Sources that the plan did not ask for,
/// because their repository is missing and is not to be created, are asked for here: it may be there
/// when the lock is used. Those that cannot be resolved are returned by destination, with why.
pub async fn lock(plan: &Plan, access: &Access) -> (Option<Lock>, Vec<(Location, StepError)>) {
    let digests: Vec<Option<Result<Digest, StepError>>> = stream::iter(&plan.images)
        .map(|image| digest(image, access))
        .buffered(PARALLEL_QUESTIONS)
        .collect()
        .await;
    let (mut images, mut failures) = (Vec::new(), Vec::new());
    for (plan, digest) in plan.images.iter().zip(digests) {
        match digest {
            Some(Ok(digest)) => images.push((&plan.image, digest)),
            Some(Err(error)) => failures.push((plan.destination.clone(), error)),
            None => {}
        }
    }
    let is_whole = plan.unlisted.is_empty() && images.len() == plan.images.len();
    let lock = || Lock::new(images, plan.chosen.iter().cloned());
    (is_whole.then(lock), failures)
}

/// The source's digest, or why there is none; `None` where the plan has said why.
async fn digest(plan: &ImagePlan, access: &Access) -> Option<Result<Digest, StepError>> {
    if let Some(digest) = &plan.source_digest {
        return Some(Ok(digest.clone()));
    }
    plan.decision.as_ref().ok()?;
    Some(resolve(&access.upstreams, &plan.image.source).await)
}
