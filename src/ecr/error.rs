//! What can go wrong at ECR's API.

use super::Encryption;
use crate::aws;
use crate::failure::{Failure, Kind};
use crate::image::Repository;

/// A request to ECR failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no authorization token.
    #[error("cannot get an ECR authorization token in `{region}`")]
    Token {
        /// The region.
        region: String,
        /// Why.
        source: aws::Error,
    },
    /// An authorization token cannot be used.
    #[error("the authorization token that ECR gave in `{region}` cannot be used: {reason}")]
    UnusableToken {
        /// The region.
        region: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A repository could not be looked up.
    #[error("cannot look up the ECR repository `{repository}`")]
    Describe {
        /// The repository.
        repository: Repository,
        /// Why.
        source: aws::Error,
    },
    /// A repository could not be created.
    #[error("cannot create the ECR repository `{repository}`")]
    Create {
        /// The repository.
        repository: Repository,
        /// Whether it was to get policies.
        has_policies: bool,
        /// Why.
        source: aws::Error,
    },
    /// A repository was created, and a policy could not be added to it.
    #[error("the ECR repository `{repository}` was created, but without its {policy}")]
    Policy {
        /// The repository.
        repository: Repository,
        /// What it lacks: `lifecycle policy`.
        policy: &'static str,
        /// Why.
        source: aws::Error,
    },
    /// The tags of a repository could not be listed.
    #[error("cannot list the tags of the ECR repository `{repository}`")]
    List {
        /// The repository.
        repository: Repository,
        /// Why.
        source: aws::Error,
    },
    /// The manifests of a repository could not be read.
    #[error("cannot read images of the ECR repository `{repository}`")]
    Read {
        /// The repository.
        repository: Repository,
        /// Why.
        source: aws::Error,
    },
    /// It could not be found out which blobs a repository has.
    #[error("cannot ask for the layers of the ECR repository `{repository}`")]
    CheckLayers {
        /// The repository.
        repository: Repository,
        /// Why.
        source: aws::Error,
    },
    /// A setting of the account could not be read.
    #[error("cannot read the setting `{name}` of the ECR account")]
    Setting {
        /// The setting.
        name: &'static str,
        /// Why.
        source: aws::Error,
    },
    /// Tags could not be deleted.
    #[error("cannot delete tags of the ECR repository `{repository}`")]
    Delete {
        /// The repository.
        repository: Repository,
        /// Why.
        source: aws::Error,
    },
    /// The repositories could not be listed.
    #[error("cannot list the repositories of the ECR registry")]
    Repositories {
        /// Why.
        source: aws::Error,
    },
    /// A part of a repository could not be read or changed.
    #[error("cannot {action} the {part} of the ECR repository `{repository}`")]
    Change {
        /// What: `set`.
        action: &'static str,
        /// The part: `lifecycle policy`.
        part: &'static str,
        /// The repository.
        repository: Repository,
        /// Why.
        source: aws::Error,
    },
    /// A repository shall be encrypted in another way.
    #[error(
        "the ECR repository `{repository}` is encrypted with {found} and shall be with {wanted}, \
         which nothing can change"
    )]
    FixedEncryption {
        /// The repository.
        repository: Repository,
        /// What it is.
        found: Encryption,
        /// What it shall be.
        wanted: Encryption,
    },
    /// A repository could not be deleted.
    #[error("cannot delete the ECR repository `{repository}`")]
    DeleteRepository {
        /// The repository.
        repository: Repository,
        /// Why.
        source: aws::Error,
    },
    /// The rules of the pull-through cache could not be listed.
    #[error("cannot list ECR's pull-through cache rules")]
    Rules {
        /// Why.
        source: aws::Error,
    },
    /// Something could not be done with a rule of the pull-through cache.
    #[error("cannot {action} the pull-through cache rule `{prefix}`")]
    Rule {
        /// What: `create`.
        action: &'static str,
        /// The rule's prefix.
        prefix: String,
        /// Why.
        source: aws::Error,
    },
    /// The repository creation templates could not be listed.
    #[error("cannot list ECR's repository creation templates")]
    Templates {
        /// Why.
        source: aws::Error,
    },
    /// Something could not be done with a repository creation template.
    #[error("cannot {action} the repository creation template `{prefix}`")]
    Template {
        /// What: `create`.
        action: &'static str,
        /// The template's prefix.
        prefix: String,
        /// Why.
        source: aws::Error,
    },
    /// How the registry scans its images could not be read or set.
    #[error("cannot {action} how the ECR registry scans its images")]
    Scanning {
        /// What: `set`.
        action: &'static str,
        /// Why.
        source: aws::Error,
    },
}

impl Failure for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::UnusableToken { .. } => Kind::Permanent,
            Self::FixedEncryption { .. } => Kind::Conflict,
            // Another try would find the repository in place, and leave it as it is.
            Self::Policy { source, .. } if source.kind().is_retryable() => Kind::Permanent,
            Self::Token { source, .. }
            | Self::Describe { source, .. }
            | Self::Create { source, .. }
            | Self::Policy { source, .. }
            | Self::List { source, .. }
            | Self::Read { source, .. }
            | Self::CheckLayers { source, .. }
            | Self::Setting { source, .. }
            | Self::Delete { source, .. }
            | Self::Repositories { source }
            | Self::Change { source, .. }
            | Self::DeleteRepository { source, .. }
            | Self::Rules { source }
            | Self::Rule { source, .. }
            | Self::Templates { source }
            | Self::Template { source, .. }
            | Self::Scanning { source, .. } => source.kind(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::UnusableToken { .. } => None,
            Self::FixedEncryption {
                repository, found, ..
            } => Some(format!(
                "delete `{repository}` with its images and run again, which makes it anew and \
                 loads them; or let `repositories.encryption` say what it has: {found}"
            )),
            Self::Policy {
                repository,
                policy,
                source,
            } => Some(format!(
                "{}delete the empty repository `{repository}` and run again, or add \
                     the {policy} by hand: an existing repository is left as it is",
                first(source)
            )),
            // The answer may have been lost, and not the request.
            Self::Create {
                repository,
                has_policies: true,
                source,
            } if source.kind().is_retryable() => Some(format!(
                "{}if `{repository}` exists now, delete it before the next run, which would leave \
                 it as it is, without its policies",
                first(source)
            )),
            Self::Token { source, .. }
            | Self::Describe { source, .. }
            | Self::Create { source, .. }
            | Self::List { source, .. }
            | Self::Read { source, .. }
            | Self::CheckLayers { source, .. }
            | Self::Setting { source, .. }
            | Self::Delete { source, .. }
            | Self::Repositories { source }
            | Self::Change { source, .. }
            | Self::DeleteRepository { source, .. }
            | Self::Rules { source }
            | Self::Rule { source, .. }
            | Self::Templates { source }
            | Self::Template { source, .. }
            | Self::Scanning { source, .. } => source.hint(),
        }
    }
}

/// The hint of the cause, for another one to follow.
fn first(source: &aws::Error) -> String {
    let hint = source.hint().map(|hint| format!("{hint}; "));
    hint.unwrap_or_default()
}
