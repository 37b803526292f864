//! What of an image's referrers the destination lacks.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::Event;
use crate::image::{Digest, Location};

use super::observe_destination::RepositoryState;
use super::referrers::{Referrer, list};
use super::{Access, StepError};

/// What of these the destination lacks. ECR's list of the repository answers for all of them;
/// elsewhere it costs a GET per digest that is referred to, and a HEAD per tag of cosign's.
pub(super) async fn missing(
    found: Vec<Referrer>,
    repository: &RepositoryState,
    destination: &Location,
    access: &Access,
) -> Result<Vec<Referrer>, StepError> {
    let mut listed: BTreeMap<Digest, BTreeSet<Digest>> = BTreeMap::new();
    let mut missing = Vec::new();
    for referrer in found {
        let is_missing = match (&referrer, repository.has(referrer.digest())) {
            (Referrer::Manifest { .. }, Some(has)) => !has,
            (
                Referrer::Manifest {
                    subject, digest, ..
                },
                None,
            ) => {
                if !listed.contains_key(subject) {
                    let list = list(access, destination, subject.clone(), None).await?;
                    let digests = list.iter().map(|listed| listed.digest().clone());
                    listed.insert(subject.clone(), digests.collect());
                }
                !listed[subject].contains(digest)
            }
            (Referrer::Tagged { tag, digest }, _) => {
                let tag = destination.by_tag(tag.clone());
                let held = repository.digest(&tag, access).await?;
                held.as_ref() != Some(digest)
                    && (held.is_none() || can_move(&tag, repository, destination, access))
            }
        };
        if is_missing {
            missing.push(referrer);
        }
    }
    Ok(missing)
}

/// A tag that holds something else and cannot be overwritten is left with a warning.
fn can_move(
    tag: &Location,
    repository: &RepositoryState,
    destination: &Location,
    access: &Access,
) -> bool {
    let is_fixed = tag
        .tag()
        .is_some_and(|tag| repository.mutability.is_immutable(tag));
    if is_fixed {
        let image = destination.clone();
        let message = format!("`{tag}` is immutable and holds something else than at the source");
        access.observer.observe(Event::Warning { image, message });
    }
    !is_fixed
}
