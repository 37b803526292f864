//! The settings of a repository.

use std::collections::BTreeMap;

/// How a repository is created.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RepositorySettings {
    /// Whether tags can be overwritten.
    pub tag_mutability: TagMutability,
    /// Whether ECR scans each pushed image.
    pub scan_on_push: bool,
    /// How ECR encrypts the repository.
    pub encryption: Encryption,
    /// A lifecycle policy, as ECR's own JSON text.
    pub lifecycle_policy: Option<String>,
    /// A repository policy, as ECR's own JSON text.
    pub policy: Option<String>,
    /// Resource tags.
    pub tags: BTreeMap<String, String>,
}

/// Whether tags can be overwritten.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TagMutability {
    /// Every tag can.
    Mutable,
    /// No tag can, but for those that match one of these patterns (at most five, `*` stands for
    /// any text).
    Immutable {
        /// Patterns of tags that stay mutable.
        except: Vec<String>,
    },
}

/// How ECR encrypts a repository.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Encryption {
    /// With a key that S3 manages.
    Aes256,
    /// With a key in AWS KMS.
    Kms {
        /// The key's ARN.
        key_arn: String,
    },
}

impl Default for RepositorySettings {
    fn default() -> Self {
        Self {
            tag_mutability: TagMutability::Mutable,
            scan_on_push: true,
            encryption: Encryption::Aes256,
            lifecycle_policy: None,
            policy: None,
            tags: BTreeMap::new(),
        }
    }
}
