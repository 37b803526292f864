//! Both ends of what Docker builds.

use crate::config::ImageSpecification;
use crate::failure::{Failure, Kind};
use crate::image::{Location, Reference};

/// Where Docker has the base from, a registry or itself, and the registry that the result goes to.
#[derive(Clone, Copy)]
pub(super) struct DockerEnds<'a> {
    pub(super) source: &'a Location,
    pub(super) destination: &'a Reference,
}

/// Docker cannot build from there, or push to there.
#[derive(Debug, thiserror::Error)]
#[error("`{location}` is in no registry, and Docker builds from registries and pushes to them")]
pub(super) struct NoRegistry {
    location: Location,
}

impl Failure for NoRegistry {
    fn kind(&self) -> Kind {
        Kind::Configuration
    }

    fn hint(&self) -> Option<String> {
        Some("leave the lines out, or use a registry".to_owned())
    }
}

impl<'a> DockerEnds<'a> {
    pub(super) fn of(
        image: &'a ImageSpecification,
        destination: &'a Location,
    ) -> Result<Self, NoRegistry> {
        let source = &image.source;
        if !matches!(source, Location::Daemon(_)) {
            in_registry(source)?;
        }
        Ok(Self {
            source,
            destination: in_registry(destination)?,
        })
    }
}

/// What `FROM` or a push can name.
pub(super) fn in_registry(location: &Location) -> Result<&Reference, NoRegistry> {
    location.reference().ok_or_else(|| NoRegistry {
        location: location.clone(),
    })
}
