//! The one planner: `plan` prints what it finds, `apply` and `mirror` do it.

use crate::config::{ImageSpecification, Mistakes, Repositories, Specification};

use crate::event::Event;
use crate::image::Registry;
use crate::registry::RateLimit;

use super::expand::{Expanded, expand};
use super::observe::observe;
use super::warn::warn_of_traps;
use super::{Access, Plan};

/// Lists what patterns need, looks at every image and decides what to do. Two images that would
/// write the same tag are mistakes, also where only the listing shows it.
pub async fn make_plan(specification: Specification, access: &Access) -> Result<Plan, Mistakes> {
    let observer = &*access.observer;
    let Expanded {
        specification,
        chosen,
        unlisted,
    } = expand(specification, &access.upstreams, observer).await?;
    let plan = plan_images(specification.images, specification.repositories, access).await;
    warn_of_traps(&plan, observer);
    Ok(Plan {
        chosen,
        unlisted,
        ..plan
    })
}

/// Looks at these images and decides what to do.
pub(super) async fn plan_images(
    images: Vec<ImageSpecification>,
    repositories: Repositories,
    access: &Access,
) -> Plan {
    access.observer.observe(Event::Planning {
        images: images.len(),
    });
    let observations = observe(&images, &repositories, access).await;
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
    let destination =
        |image: &ImageSpecification| access.destination.tag(&image.repository, &image.tag);
    Plan::new(images, repositories, destination, observations)
}
