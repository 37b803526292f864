//! Where images go.

use std::path::PathBuf;

use crate::ecr::Ecr;
use crate::image::{LayoutReference, Location, Reference, Registry, Repository, Tag};

/// Where images go.
#[derive(Clone, Debug)]
pub enum Destination {
    /// ECR, whose API creates repositories and knows what they hold.
    Ecr(EcrRegistry),
    /// A registry that is asked for everything itself.
    Registry(Registry),
    /// The folder of an OCI layout.
    Layout(PathBuf),
}

/// One of ECR's registries and its API.
#[derive(Clone, Debug)]
pub struct EcrRegistry {
    /// ECR's API.
    pub ecr: Ecr,
    /// The registry.
    pub registry: Registry,
    /// Whether the API knows what the registry holds: not where the file puts the registry
    /// elsewhere.
    pub api_knows_images: bool,
}

impl Destination {
    /// A tag here. A layout has no repositories.
    pub fn tag(&self, repository: &Repository, tag: &Tag) -> Location {
        match self {
            Self::Ecr(EcrRegistry { registry, .. }) | Self::Registry(registry) => {
                Location::Registry(Reference {
                    registry: registry.clone(),
                    repository: repository.clone(),
                    tag: Some(tag.clone()),
                    digest: None,
                })
            }
            Self::Layout(folder) => Location::Layout(LayoutReference {
                folder: folder.clone(),
                tag: Some(tag.clone()),
                digest: None,
            }),
        }
    }

    /// ECR's API, where there is one.
    pub(super) fn ecr(&self) -> Option<&Ecr> {
        match self {
            Self::Ecr(EcrRegistry { ecr, .. }) => Some(ecr),
            Self::Registry(_) | Self::Layout(_) => None,
        }
    }

    /// ECR's API, where it knows what repositories hold.
    pub(super) fn image_api(&self) -> Option<&Ecr> {
        match self {
            Self::Ecr(EcrRegistry {
                ecr,
                api_knows_images: true,
                ..
            }) => Some(ecr),
            _ => None,
        }
    }
}
