//! Why nobody can say what the file no longer names, or why that stays.

use crate::config::{Destination, Specification};
use crate::failure::{Failure, Kind};
use crate::image::{Repository, Tag};

/// Why nobody can say what the file no longer names, or why that stays.
#[derive(Debug, thiserror::Error)]
pub enum OrphanError {
    /// Images are picked by name.
    #[error("what the file no longer names cannot be told while images are picked by name")]
    Narrowed,
    /// There is no namespace.
    #[error("without `destination.namespace` the whole registry would be the file's to clean up")]
    NoNamespace,
    /// The file names no image at all.
    #[error("the file names no image, so that everything under `{namespace}` would go")]
    NothingNamed {
        /// The namespace.
        namespace: Repository,
    },
    /// Images go where ECR's API does not see them.
    #[error("only ECR's own registry can be cleaned up")]
    Elsewhere,
    /// A rule of the pull-through cache may have made whatever there is.
    #[error("everything under `{namespace}` belongs to the pull-through cache rule `{prefix}`")]
    Covered {
        /// The namespace.
        namespace: Repository,
        /// The rule's prefix.
        prefix: String,
    },
    /// Somebody wrote a tag since the plan was made.
    #[error("something else wrote the tag `{tag}` at the same time")]
    Moved {
        /// The tag.
        tag: Tag,
    },
    /// ECR does not delete it.
    #[error("ECR keeps `{name}`: {reason}")]
    Kept {
        /// The tag, or the digest.
        name: String,
        /// ECR's code and words.
        reason: String,
        /// Whether an index lists the image.
        is_listed: bool,
    },
    /// Something came into a repository since the plan was made, or stays in it.
    #[error("the repository has images that were not there when it was looked at, or that stay")]
    NotEmpty,
}

impl OrphanError {
    /// Whether it can be told what the file no longer names: only a whole file can say that, and
    /// only of its own namespace. `narrowed` says whether images are picked by name.
    pub fn check(specification: &Specification, narrowed: bool) -> Result<(), Self> {
        let Some(namespace) = &specification.namespace else {
            return Err(Self::NoNamespace);
        };
        match &specification.destination {
            _ if narrowed => Err(Self::Narrowed),
            Destination::Ecr(ecr) if ecr.registry.is_none() => {
                let names_any =
                    !specification.images.is_empty() || !specification.patterns.is_empty();
                let namespace = namespace.clone();
                names_any
                    .then_some(())
                    .ok_or(Self::NothingNamed { namespace })
            }
            _ => Err(Self::Elsewhere),
        }
    }
}

impl Failure for OrphanError {
    fn kind(&self) -> Kind {
        match self {
            Self::Narrowed
            | Self::NoNamespace
            | Self::NothingNamed { .. }
            | Self::Elsewhere
            | Self::Covered { .. } => Kind::Configuration,
            Self::Moved { .. } | Self::NotEmpty => Kind::Conflict,
            Self::Kept { .. } => Kind::Permanent,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Narrowed => {
                "leave the names out, or `--orphans` and `--prune-orphans`".to_owned()
            }
            Self::NoNamespace => {
                "write `destination: {namespace: NAME}` with a prefix that is this file's alone"
                    .to_owned()
            }
            Self::NothingNamed { namespace } => format!(
                "name an image, or delete the repositories under `{namespace}` by hand where that \
                 is meant"
            ),
            Self::Elsewhere => "leave `destination.registry` out: what stands there is not what \
                                ECR's API knows"
                .to_owned(),
            Self::Covered { .. } => "a namespace of its own, beside the cache's prefixes, can be \
                                     cleaned up"
                .to_owned(),
            Self::Moved { .. } | Self::NotEmpty => "run again to see what is there now".to_owned(),
            Self::Kept {
                is_listed: true, ..
            } => "an index in the repository lists the image, and has to go before it".to_owned(),
            Self::Kept { .. } => return None,
        })
    }
}
