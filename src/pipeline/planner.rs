//! The one planner: `plan` prints what it finds, `apply` and `mirror` do it.

use crate::config::{ImageSpecification, Repositories};

use crate::event::Event;

use super::observe::observe;
use super::{Access, Plan};

/// Looks at every image and decides what to do.
pub async fn make_plan(
    images: Vec<ImageSpecification>,
    repositories: Repositories,
    access: &Access,
) -> Plan {
    access.observer.observe(Event::Planning {
        images: images.len(),
    });
    let observations = observe(&images, &repositories, access).await;
    access.observer.observe(Event::Planned);
    let destination =
        |image: &ImageSpecification| access.destination(&image.repository, &image.tag);
    Plan::new(images, repositories, destination, observations)
}
