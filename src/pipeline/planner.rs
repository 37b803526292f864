//! The one planner: `plan` prints what it finds, `apply` and `mirror` do it.

use std::collections::BTreeSet;

use crate::config::{ImageSpecification, Mistakes, Repositories, Specification};
use crate::event::{Event, Observer};
use crate::image::Registry;
use crate::registry::RateLimit;

use super::expand::{Expanded, expand};
use super::observe::observe;
use super::observe_destination::observe_repositories;
use super::orphans::Claim;
use super::warn::warn_of_traps;
use super::{Access, Choices, Concern, Plan};

/// Lists what patterns need, looks at every image and decides what to do. Two images that would
/// write the same tag are mistakes, also where only the listing shows it.
pub async fn make_plan(
    specification: Specification,
    choices: Choices,
    access: &Access,
) -> Result<Plan, Mistakes> {
    let observer = &*access.observer;
    let Expanded {
        specification,
        chosen,
        unlisted,
        open,
    } = expand(specification, &access.upstreams, observer).await?;
    let claim = match choices.orphans {
        Concern::Ignored => None,
        Concern::Shown | Concern::Changed => Claim::of(&specification, open),
    };
    let questions = Questions { choices, claim };
    let Specification {
        images,
        repositories,
        ..
    } = specification;
    tell_of_cache(&images, observer);
    let plan = answer(questions, images, repositories, access).await;
    warn_of_traps(&plan, observer);
    Ok(Plan {
        chosen,
        unlisted,
        ..plan
    })
}

/// Tells which sources may be older than their upstreams are.
fn tell_of_cache(images: &[ImageSpecification], observer: &dyn Observer) {
    let cached = images.iter().filter(|image| image.through_cache);
    let registry = |image: &ImageSpecification| Some(image.source.reference()?.registry.clone());
    let upstreams: BTreeSet<Registry> = cached.filter_map(registry).collect();
    if !upstreams.is_empty() {
        let upstreams = upstreams.into_iter().collect();
        observer.observe(Event::ThroughCache { upstreams });
    }
}

/// Looks at these images and decides what to do.
pub(super) async fn plan_images(
    images: Vec<ImageSpecification>,
    repositories: Repositories,
    access: &Access,
) -> Plan {
    answer(Questions::default(), images, repositories, access).await
}

/// What is to be known beside the images.
#[derive(Default)]
struct Questions {
    choices: Choices,
    claim: Option<Claim>,
}

async fn answer(
    questions: Questions,
    images: Vec<ImageSpecification>,
    repositories: Repositories,
    access: &Access,
) -> Plan {
    let Questions { choices, claim } = questions;
    access.observer.observe(Event::Planning {
        images: images.len(),
    });
    let mut states = observe_repositories(&images, &repositories, choices.drift, access).await;
    let observations = observe(&images, &repositories, &states, access).await;
    let orphans = match claim {
        Some(claim) => Some(Box::pin(claim.find_orphans(&states, access)).await),
        None => None,
    };
    access.observer.observe(Event::Planned);
    let hub = Registry::docker_hub();
    if let Some(RateLimit {
        limit,
        remaining,
        window,
    }) = access.upstreams.client.rate_limit(&hub)
    {
        let registry = hub;
        access.observer.observe(Event::PullsLeft {
            registry,
            remaining,
            limit,
            window,
        });
    }
    let existing = states
        .values_mut()
        .filter_map(|it| it.as_mut().ok()?.as_mut());
    let drift = existing.flat_map(|state| std::mem::take(&mut state.drift));
    let drift = drift.collect();
    drop(states);
    let destination =
        |image: &ImageSpecification| access.destination.tag(&image.repository, &image.tag);
    Plan {
        choices,
        drift,
        orphans,
        ..Plan::new(images, repositories, destination, observations)
    }
}
