//! What ECR shall cache, checked.

use super::Password;
use crate::ecr::{CacheUpstream, CreationTemplate, ROOT, RegistryScanning};
use crate::store::Detour;

/// What ECR shall cache.
#[derive(Clone, Debug)]
pub struct CacheSpecification {
    /// One rule per prefix, in the file's order.
    pub rules: Vec<CacheRule>,
    /// How the registry scans all its images; absent where the file leaves that open.
    pub scanning: Option<RegistryScanning>,
}

/// One prefix: what is cached there, with whose login, and into what repositories.
#[derive(Clone, Debug)]
pub struct CacheRule {
    /// The prefix of repository names in ECR; `ROOT` for all names.
    pub prefix: String,
    /// The upstream registry.
    pub upstream: CacheUpstream,
    /// A prefix that the upstream's repositories have and those in ECR do not.
    pub upstream_prefix: Option<String>,
    /// Who ECR is at the upstream.
    pub credential: CacheCredential,
    /// The ARN of the role with which another account's ECR is read.
    pub upstream_role_arn: Option<String>,
    /// What ECR gives the repositories that it creates.
    pub template: CreationTemplate,
}

impl CacheRule {
    /// The way to images that leads through this rule.
    pub fn detour(&self) -> Detour {
        Detour {
            upstream: self.upstream.registry(),
            upstream_prefix: self.upstream_prefix.clone(),
            prefix: (self.prefix != ROOT).then(|| self.prefix.clone()),
        }
    }
}

/// Who ECR is at an upstream registry.
#[derive(Clone, Debug)]
pub enum CacheCredential {
    /// Nobody, or the rule's role.
    Nobody,
    /// A user, whose login a secret of Secrets Manager brings to ECR.
    User {
        /// The user's name; absent where it stands beside the token at AWS.
        username: Option<String>,
        /// The password or access token.
        token: Password,
    },
    /// Whoever somebody writes into the secret by hand.
    Manual,
}
