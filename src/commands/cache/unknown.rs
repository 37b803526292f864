//! What the file does not say and nobody else knows.

use crate::config::{CacheSpecification, Specification};
use crate::failure::{Failure, Kind};

/// What the file does not say and nobody else knows.
#[derive(Debug, thiserror::Error)]
pub(in crate::commands) enum Unknown {
    /// What shall be cached.
    #[error("the file has no `pull_through_cache`")]
    Cache,
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
        let Self::Cache = self;
        Some(
            "write `pull_through_cache: {quay: {registry: quay.io}}`, or `{}` where nothing shall \
             be cached any more"
                .to_owned(),
        )
    }
}
