//! What can go wrong with the cache.

use crate::failure::{Failure, Kind};
use crate::image::Registry;
use crate::{aws, credentials, ecr};

/// The cache could not be seen or changed, or does not work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// ECR did not do it.
    #[error(transparent)]
    Ecr(#[from] ecr::Error),
    /// The registry belongs to somebody else.
    #[error("the pull-through cache of `{registry}` belongs to another account")]
    AnotherAccount {
        /// The registry.
        registry: Registry,
    },
    /// The login for an upstream could not be had.
    #[error("cannot find out who to be at `{upstream}`")]
    Login {
        /// The upstream's host.
        upstream: String,
        /// Why.
        source: credentials::Error,
    },
    /// Something could not be done with a secret.
    #[error("cannot {action} the secret `{name}`")]
    Secret {
        /// What: `create`.
        action: &'static str,
        /// The secret's name or ARN.
        name: String,
        /// Why.
        source: aws::Error,
    },
    /// A secret that the file names does not exist.
    #[error("there is no secret `{name}` in `{region}`")]
    NoSecret {
        /// The secret's name or ARN.
        name: String,
        /// The region.
        region: String,
    },
    /// A rule can be changed only by making it anew, which nobody allowed.
    #[error("the rule `{prefix}` would have to be replaced ({changes})")]
    NeedsReplacement {
        /// The rule's prefix.
        prefix: String,
        /// What differs.
        changes: String,
    },
    /// A rule's secret failed, and the rule cannot do without.
    #[error("the rule `{prefix}` waits for its secret")]
    WaitsForSecret {
        /// The rule's prefix.
        prefix: String,
        /// What kind of failure the secret's was.
        kind: Kind,
    },
    /// An upstream does not let a rule in.
    #[error("`{upstream}` does not let the rule `{prefix}` in: {reason}")]
    Refused {
        /// The rule's prefix.
        prefix: String,
        /// The upstream's host.
        upstream: String,
        /// Why, in ECR's words.
        reason: String,
        /// The secret that a person fills in.
        by_hand: Option<String>,
    },
}

impl Failure for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Ecr(source) => source.kind(),
            Self::Login { source, .. } => source.kind(),
            Self::Secret { source, .. } => source.kind(),
            Self::AnotherAccount { .. } => Kind::Configuration,
            Self::NoSecret { .. } | Self::Refused { .. } => Kind::Refused,
            Self::NeedsReplacement { .. } => Kind::Conflict,
            Self::WaitsForSecret { kind, .. } => *kind,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Ecr(source) => return source.hint(),
            Self::Login { source, .. } => return source.hint(),
            Self::Secret { source, .. } => return source.hint(),
            Self::WaitsForSecret { .. } => return None,
            Self::AnotherAccount { .. } => {
                "name a role of that account with `destination.role_arn`, or leave \
                 `destination.account_id` out"
                    .to_owned()
            }
            Self::NoSecret { .. } => "create it, or name a token with `access_token: {env: NAME}` \
                                      and let longshore keep the secret"
                .to_owned(),
            Self::NeedsReplacement { .. } => {
                "run with `--allow-replace`: the rule is deleted and made anew, what is cached \
                 stays"
                    .to_owned()
            }
            Self::Refused {
                by_hand: Some(name),
                ..
            } => format!(
                "put `username` and `accessToken` into the secret `{name}`: aws secretsmanager \
                 put-secret-value --secret-id {name} --secret-string file://login.json"
            ),
            Self::Refused { by_hand: None, .. } => {
                "check the user, the token and what the token may read".to_owned()
            }
        })
    }
}
