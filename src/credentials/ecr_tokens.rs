//! Authorization tokens of ECR, one for each who asks and where.

use std::fmt;
use std::sync::Arc;

use crate::aws::{self, RootCertificates};
use crate::config::Upstream;
use crate::ecr::{Ecr, EcrHost, PublicEcr};
use crate::image::Registry;
use crate::once::Once;
use crate::registry::{Credentials, CredentialsError, Login};

/// Who asks ECR for a token, and where. Registries that share both share the token.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Caller {
    /// The AWS profile; the AWS SDK's own chain where this is absent.
    pub profile: Option<String>,
    /// The ARN of a role that is assumed with the credentials found.
    pub role_arn: Option<String>,
    /// Which of ECR's tokens it is.
    pub scope: Scope,
}

/// Where a token of ECR's is good.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Scope {
    /// At the private registries of this region.
    Region(String),
    /// At ECR Public.
    Public,
}

impl Caller {
    /// Whose token opens this registry, where one of ECR's does. The host that is really read
    /// decides; where an `endpoint` is none of ECR's hosts it gets a token only by name, because a
    /// token opens more than one registry.
    pub(super) fn of(registry: &Registry, upstream: Option<&Upstream>) -> Option<Self> {
        let endpoint = upstream.and_then(|upstream| upstream.endpoint.as_ref());
        let profile = upstream.and_then(|upstream| upstream.profile.clone());
        let role_arn = upstream.and_then(|upstream| upstream.role_arn.clone());
        let is_named = profile.is_some() || role_arn.is_some();
        if registry.is_public_ecr() {
            // Reading needs no token.
            return is_named.then_some(Self {
                profile,
                role_arn,
                scope: Scope::Public,
            });
        }
        let own_host = || EcrHost::of(registry).filter(|_| endpoint.is_none() || is_named);
        let host = endpoint
            .and_then(|endpoint| EcrHost::of(&endpoint.registry))
            .or_else(own_host)?;
        Some(Self {
            profile,
            role_arn,
            scope: Scope::Region(host.region),
        })
    }

    /// Whose token opens ECR Public where nobody is named.
    pub(super) fn of_public() -> Self {
        Self {
            profile: None,
            role_arn: None,
            scope: Scope::Public,
        }
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.role_arn, &self.profile) {
            (Some(role), _) => write!(formatter, "the AWS role `{role}`"),
            (None, Some(profile)) => write!(formatter, "the AWS profile `{profile}`"),
            (None, None) => formatter.write_str("the AWS session"),
        }
    }
}

/// A token for each caller. Nothing is read and nobody is asked before a registry wants one.
#[derive(Default)]
pub struct EcrTokens {
    root_certificates: Option<RootCertificates>,
    /// One caller's tokens, once they were wanted.
    callers: Once<Caller, Arc<dyn Credentials>>,
}

impl EcrTokens {
    /// No tokens yet. The certificates are trusted at AWS beside the system's.
    pub fn new(root_certificates: Option<RootCertificates>) -> Self {
        Self {
            root_certificates,
            callers: Once::default(),
        }
    }

    /// These tokens, with the one of a caller whose session is open already.
    pub fn with(self, caller: Caller, ecr: Ecr) -> Self {
        self.callers.put(caller, Arc::new(ecr));
        self
    }

    /// The login that opens this registry.
    pub(super) async fn login(
        &self,
        caller: &Caller,
        registry: &Registry,
    ) -> Result<Option<Login>, CredentialsError> {
        let cell = self.callers.cell(caller.clone());
        let ecr = cell.get_or_try_init(|| self.open(caller)).await;
        let ecr = ecr.map_err(CredentialsError::at(registry))?;
        ecr.login(registry).await
    }

    /// Forgets a login that this registry refused.
    pub(super) async fn refused(&self, caller: &Caller, registry: &Registry, login: &Login) {
        if let Some(ecr) = self.callers.cell(caller.clone()).get() {
            ecr.refused(registry, login).await;
        }
    }

    async fn open(&self, caller: &Caller) -> Result<Arc<dyn Credentials>, aws::Error> {
        let Caller {
            profile,
            role_arn,
            scope,
        } = caller.clone();
        let region = match &scope {
            Scope::Region(region) => region.as_str(),
            Scope::Public => PublicEcr::REGION,
        };
        let session = aws::Session::load(aws::Options {
            region: Some(region.to_owned()),
            profile,
            role_arn,
            root_certificates: self.root_certificates.clone(),
        });
        let session = session.await?;
        Ok(match scope {
            Scope::Region(_) => Arc::new(Ecr::new(&session, None)),
            Scope::Public => Arc::new(PublicEcr::new(&session)),
        })
    }
}

impl fmt::Debug for EcrTokens {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("EcrTokens").finish_non_exhaustive()
    }
}
