//! What the cache is seen and changed with.

use crate::aws::Secrets;
use crate::credentials::SecretStore;
use crate::ecr::Ecr;

use super::Error;

/// What the cache is seen and changed with.
#[derive(Debug)]
pub struct Access {
    /// The registry.
    pub ecr: Ecr,
    /// Secrets Manager in the registry's account and region.
    pub secrets: Secrets,
    /// Where tokens that AWS keeps are read.
    pub store: SecretStore,
    /// The registry's region.
    pub region: String,
}

impl Access {
    /// Refuses another account's registry: ECR has templates, and reads secrets, in the caller's
    /// own account only.
    pub async fn check_account(&self) -> Result<(), Error> {
        let registry = self.ecr.registry().await?;
        if registry == self.ecr.token().await?.proxy_endpoint {
            return Ok(());
        }
        Err(Error::AnotherAccount {
            registry: registry.registry,
        })
    }
}
