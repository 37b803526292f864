//! What the file does not say and nobody else knows.

use crate::config::{CacheSpecification, Specification};
use crate::failure::{Failure, Kind};

/// What the file does not say and nobody else knows.
#[derive(Debug, thiserror::Error)]
pub(in crate::commands) enum Unknown {
    /// What shall be cached.
    #[error("the file has no `pull_through_cache`")]
    Cache,
    /// The account of the registry.
    #[error("the registry does not tell its account")]
    Account,
}

/// What the file says of the cache.
pub(super) fn known(specification: &Specification) -> Result<&CacheSpecification, Unknown> {
    specification.cache.as_ref().ok_or(Unknown::Cache)
}

impl Failure for Unknown {
    fn kind(&self) -> Kind {
        Kind::Configuration
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Cache => {
                "write `pull_through_cache: {quay: {registry: quay.io}}`, or `{}` where nothing \
                 shall be cached any more"
            }
            Self::Account => "write `destination: {account_id: \"123456789012\"}`",
        };
        Some(hint.to_owned())
    }
}
