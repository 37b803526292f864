//! What can go wrong with the cache.

use super::how_to_fill;
use crate::ecr::Encryption;
use crate::failure::{Failure, Kind};
use crate::image::{ParseManifestError, Registry, Repository};
use crate::{aws, credentials, ecr, store};

/// The cache could not be seen or changed, or does not work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// ECR did not do it.
    #[error(transparent)]
    Ecr(Box<ecr::Error>),
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
    /// A rule was deleted, and the one that shall stand in its place could not be made.
    #[error("the rule `{prefix}` is gone, and nothing is pulled through it")]
    NotReplaced {
        /// The rule's prefix.
        prefix: String,
        /// Why.
        source: Box<ecr::Error>,
    },
    /// A rule shall read another account's registry as nobody.
    #[error("the rule `{prefix}` reads the registry of account {owner}, which takes a role")]
    NeedsRole {
        /// The rule's prefix.
        prefix: String,
        /// The account that owns its upstream.
        owner: String,
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
        /// Whether a person fills in its secret.
        by_hand: bool,
        /// The role that reads another account's registry.
        role: Option<String>,
    },
    /// An image could not be fetched from its upstream.
    #[error("ECR does not give `{url}`: {code}: {reason}")]
    NotFetched {
        /// What it was asked for by.
        url: String,
        /// ECR's code.
        code: String,
        /// Why, in ECR's words.
        reason: String,
    },
    /// Neither ECR nor the upstream has an image.
    #[error("`{url}` does not exist")]
    NotThere {
        /// What it was asked for by.
        url: String,
    },
    /// An image is not made for a platform.
    #[error("`{url}` has no {platform}; it has {offered}")]
    NoPlatform {
        /// What it was asked for by.
        url: String,
        /// The platform.
        platform: String,
        /// Its platforms, separated by commas.
        offered: String,
    },
    /// The configuration of an image, which has its platform, could not be read.
    #[error("cannot find out the platform of `{url}`")]
    Configuration {
        /// What it was asked for by.
        url: String,
        /// Why.
        source: Box<store::Error>,
    },
    /// The configuration of an image is none.
    #[error("the configuration of `{url}` is malformed")]
    BadConfiguration {
        /// What it was asked for by.
        url: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A cached repository is encrypted in another way than its template says.
    #[error(
        "the cached repository `{repository}` is encrypted with {found} and shall be with \
         {wanted}, which nothing can change"
    )]
    Encryption {
        /// The repository.
        repository: Repository,
        /// What it is encrypted with.
        found: Encryption,
        /// What it shall be encrypted with.
        wanted: Encryption,
    },
    /// What was fetched is no image.
    #[error("the manifest of `{url}` cannot be used")]
    NoImage {
        /// What it was asked for by.
        url: String,
        /// What is wrong with it.
        source: ParseManifestError,
    },
}

impl From<ecr::Error> for Error {
    fn from(source: ecr::Error) -> Self {
        Self::Ecr(Box::new(source))
    }
}

impl Failure for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Ecr(source) | Self::NotReplaced { source, .. } => source.kind(),
            Self::Login { source, .. } => source.kind(),
            Self::Secret { source, .. } => source.kind(),
            Self::AnotherAccount { .. } | Self::NeedsRole { .. } => Kind::Configuration,
            Self::NoSecret { .. } | Self::Refused { .. } => Kind::Refused,
            Self::NeedsReplacement { .. } | Self::Encryption { .. } => Kind::Conflict,
            Self::WaitsForSecret { kind, .. } => *kind,
            Self::NotFetched { code, .. } => match code.as_str() {
                "UpstreamAccessDenied" | "UnableToGetUpstreamImage" => Kind::Refused,
                "UpstreamTooManyRequests" => Kind::Exhausted,
                "UpstreamUnavailable" => Kind::Unreachable,
                _ => Kind::Permanent,
            },
            Self::Configuration { source, .. } => source.kind(),
            Self::NotThere { .. }
            | Self::NoPlatform { .. }
            | Self::BadConfiguration { .. }
            | Self::NoImage { .. } => Kind::Permanent,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Ecr(source) => return source.hint(),
            Self::NotReplaced { source, .. } => {
                let first = source.hint().map(|hint| format!("{hint}; "));
                let first = first.unwrap_or_default();
                format!("{first}run again, which makes it anew; what is cached is there still")
            }
            Self::Login { source, .. } => return source.hint(),
            Self::Secret { source, .. } => return source.hint(),
            Self::Configuration { source, .. } => return source.hint(),
            Self::WaitsForSecret { .. }
            | Self::BadConfiguration { .. }
            | Self::NoImage { .. } => return None,
            Self::NotFetched { code, .. } => return remedy(code),
            Self::NotThere { .. } => {
                "check the name and the tag; ECR says the same where `longshore cache apply` has \
                 not made the rule yet, and where the caller may not `ecr:BatchImportUpstreamImage` and `ecr:CreateRepository`, which `longshore \
                 cache policy --for puller` prints"
                    .to_owned()
            }
            Self::Encryption { repository, .. } => format!(
                "delete `{repository}` with its images, and the next pull makes it anew; or let \
                 the rule's `encryption` say what it has"
            ),
            Self::NoPlatform { .. } => "name one that it has with `--platform`".to_owned(),
            Self::AnotherAccount { .. } => {
                "name a role of that account with `destination.role_arn`, or leave \
                 `destination.account_id` out"
                    .to_owned()
            }
            Self::NoSecret { .. } => "create it, or name a token with `access_token: {env: NAME}` \
                                      and let longshore keep the secret"
                .to_owned(),
            Self::NeedsRole { prefix, .. } => {
                format!("write `custom_role_arn` under `pull_through_cache.{prefix}`")
            }
            Self::NeedsReplacement { .. } => {
                "run with `--allow-replace`: the rule is deleted and made anew, what is cached \
                 stays"
                    .to_owned()
            }
            Self::Refused {
                prefix,
                by_hand: true,
                ..
            } => how_to_fill(prefix),
            Self::Refused {
                role: Some(role), ..
            } => format!(
                "check that `{role}` trusts `pullthroughcache.ecr.amazonaws.com`, and that the \
                 policies of the repositories there let it read them"
            ),
            Self::Refused { .. } => {
                "check the user, the token and what the token may read".to_owned()
            }
        })
    }
}

/// What can be done about a failure of ECR's with this code.
fn remedy(code: &str) -> Option<String> {
    let remedy = match code {
        "UpstreamAccessDenied" => {
            "check the name, of which Docker Hub says this too when nothing has it, and the rule's \
             token: `longshore cache apply` asks the upstream"
        }
        "UnableToGetUpstreamImage" => {
            "check the rule's secret: `longshore cache apply` asks the upstream"
        }
        "UpstreamTooManyRequests" => {
            "the upstream's limit is used up: wait, or give the rule the token of a user with a \
             higher one"
        }
        "UpstreamUnavailable" => {
            "the upstream does not answer ECR: run again later; what is cached is served meanwhile"
        }
        "ImageInaccessible" => {
            "ECR has the image and does not give it out: it may be archived, or its key gone"
        }
        _ => return None,
    };
    Some(remedy.to_owned())
}
