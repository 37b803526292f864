//! All that knows logins, and which of them counts.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::{Caller, DockerConfig, EcrTokens, Origin, SecretStore, Who};
use crate::config::{Upstream, UpstreamLogin};
use crate::ecr::EcrHost;
use crate::image::Registry;
use crate::registry::{Credentials, CredentialsError, Login};

/// Knows who we are at every registry. One of these decides, and where it has no login nobody else
/// is asked, so that a refusal always has one remedy:
///
/// 1. the registry's own provider: at the destination, its ECR token,
/// 2. the file's `username` and `password` under `upstreams`, also where AWS keeps them,
/// 3. AWS where the host is ECR's, with the file's `profile` and `role_arn`; Docker's configuration
///    may have a token of yesterday for it,
/// 4. Docker's configuration; without a login there, nobody: anonymous. Where images are written to
///    ECR Public, which takes nothing from nobody, AWS.
pub struct Keyring {
    providers: HashMap<Registry, Arc<dyn Credentials>>,
    upstreams: BTreeMap<Registry, Upstream>,
    secrets: SecretStore,
    ecr: EcrTokens,
    docker: DockerConfig,
    writes_to_public_ecr: bool,
}

/// Who decides on the login of a registry.
enum Authority<'a> {
    Provider(&'a dyn Credentials),
    File(&'a UpstreamLogin),
    Aws(Caller),
    /// Under the name that Docker's configuration has the login.
    Docker(&'a Registry),
    /// The same, and AWS where it has none.
    DockerElseAws(&'a Registry, Caller),
}

impl Keyring {
    /// A keyring of the file's upstreams, ECR's tokens and Docker's configuration.
    pub fn new(
        upstreams: BTreeMap<Registry, Upstream>,
        ecr: EcrTokens,
        docker: DockerConfig,
    ) -> Self {
        Self {
            providers: HashMap::new(),
            upstreams,
            secrets: SecretStore::default(),
            ecr,
            docker,
            writes_to_public_ecr: false,
        }
    }

    /// This keyring, for images that go to ECR Public.
    pub fn writing_to_public_ecr(self) -> Self {
        Self {
            writes_to_public_ecr: true,
            ..self
        }
    }

    /// This keyring, with somebody to read the passwords that AWS keeps.
    pub fn with_secrets(self, secrets: SecretStore) -> Self {
        Self { secrets, ..self }
    }

    /// This keyring, with one that decides alone who we are at this registry.
    pub fn with_provider(mut self, registry: Registry, provider: Arc<dyn Credentials>) -> Self {
        self.providers.insert(registry, provider);
        self
    }

    /// Who we are at a registry, and who says so.
    pub async fn identify(&self, registry: &Registry) -> Result<Who, CredentialsError> {
        let origin = match self.authority(registry) {
            Authority::Provider(_) => Origin::Destination,
            Authority::File(UpstreamLogin::Known(_)) => Origin::File,
            Authority::File(UpstreamLogin::AtAws { password, .. }) => {
                Origin::Stored(password.clone())
            }
            Authority::Aws(caller) => Origin::Aws(caller),
            Authority::Docker(name) => self.docker.origin(name),
            Authority::DockerElseAws(name, caller) => {
                match self.docker_login(registry, name).await? {
                    Some(_) => self.docker.origin(name),
                    None => Origin::Aws(caller),
                }
            }
        };
        Ok(Who::new(origin, self.login(registry).await?.as_ref()))
    }

    fn authority<'a>(&'a self, registry: &'a Registry) -> Authority<'a> {
        if let Some(provider) = self.providers.get(registry) {
            return Authority::Provider(&**provider);
        }
        let upstream = self.upstreams.get(registry);
        if let Some(login) = upstream.and_then(|upstream| upstream.login.as_ref()) {
            return Authority::File(login);
        }
        if let Some(caller) = Caller::of(registry, upstream) {
            return Authority::Aws(caller);
        }
        // Where the registry is read through another host, Docker's login for the registry's own
        // name does not belong to that host.
        let endpoint = upstream.and_then(|upstream| upstream.endpoint.as_ref());
        let name = endpoint.map_or(registry, |endpoint| &endpoint.registry);
        if self.writes_to_public_ecr && registry.is_public_ecr() {
            return Authority::DockerElseAws(name, Caller::of_public());
        }
        Authority::Docker(name)
    }

    async fn docker_login(
        &self,
        registry: &Registry,
        name: &Registry,
    ) -> Result<Option<Login>, CredentialsError> {
        let login = self.docker.login(name).await;
        login.map_err(CredentialsError::at(registry))
    }
}

#[async_trait]
impl Credentials for Keyring {
    async fn login(&self, registry: &Registry) -> Result<Option<Login>, CredentialsError> {
        match self.authority(registry) {
            Authority::Provider(provider) => provider.login(registry).await,
            Authority::File(UpstreamLogin::Known(login)) => Ok(Some(login.clone())),
            Authority::File(UpstreamLogin::AtAws { username, password }) => {
                let login = self.secrets.login(username.as_deref(), password).await;
                login.map(Some).map_err(CredentialsError::at(registry))
            }
            Authority::Aws(caller) => self.ecr.login(&caller, registry).await,
            Authority::Docker(name) => self.docker_login(registry, name).await,
            Authority::DockerElseAws(name, caller) => {
                match self.docker_login(registry, name).await? {
                    Some(login) => Ok(Some(login)),
                    None => self.ecr.login(&caller, registry).await,
                }
            }
        }
    }

    async fn refused(&self, registry: &Registry, login: &Login) {
        match self.authority(registry) {
            Authority::Provider(provider) => provider.refused(registry, login).await,
            Authority::Aws(caller) | Authority::DockerElseAws(_, caller) => {
                self.ecr.refused(&caller, registry, login).await;
            }
            Authority::File(_) | Authority::Docker(_) => {}
        }
    }

    fn remedy(&self, registry: &Registry) -> String {
        match self.authority(registry) {
            Authority::Provider(_) => format!(
                "the login for `{registry}` comes from the AWS session: check who it is, and what \
                 its policies allow"
            ),
            Authority::File(UpstreamLogin::Known(_)) => {
                format!("check the login for `{registry}` under `upstreams` in the file")
            }
            Authority::File(UpstreamLogin::AtAws { password, .. }) => {
                format!("the login for `{registry}` comes from {password}: check what is in it")
            }
            Authority::Aws(caller) => format!(
                "the login for `{registry}` comes from {caller}: check what its policies and the \
                 repository's allow, or name another `profile` or `role_arn` for it under \
                 `upstreams` in the file"
            ),
            Authority::DockerElseAws(name, _) => format!(
                "where Docker has no login for `{name}`, one comes from the AWS session: run \
                 `docker logout {name}` if it is old, or check who the session is, and that it may \
                 `ecr-public:GetAuthorizationToken` and `sts:GetServiceBearerToken`"
            ),
            Authority::Docker(name) if EcrHost::of(registry).is_some() => format!(
                "name a `profile` or `role_arn` for `{registry}` under `upstreams` in the file, \
                 whose ECR token `{name}` then gets, or run `docker login {name}`"
            ),
            Authority::Docker(name) => format!(
                "add a login for `{registry}` under `upstreams` in the file, or run \
                 `docker login {name}`"
            ),
        }
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Keyring")
            .field("providers", &self.providers.keys())
            .field("upstreams", &self.upstreams)
            .field("secrets", &self.secrets)
            .field("ecr", &self.ecr)
            .field("docker", &self.docker)
            .field("writes_to_public_ecr", &self.writes_to_public_ecr)
            .finish()
    }
}

#[cfg(test)]
mod tests;
