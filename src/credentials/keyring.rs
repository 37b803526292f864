//! All that knows logins, and which of them counts.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::DockerConfig;
use crate::config::Upstream;
use crate::image::Registry;
use crate::registry::{Credentials, CredentialsError, Login};

/// Knows who we are at every registry. The first that has a login counts:
///
/// 1. the registry's own provider, such as the destination's ECR token,
/// 2. the file's `upstreams`,
/// 3. Docker's configuration,
/// 4. nobody: anonymous.
pub struct Keyring {
    providers: HashMap<Registry, Arc<dyn Credentials>>,
    upstreams: BTreeMap<Registry, Upstream>,
    docker: DockerConfig,
}

impl Keyring {
    /// A keyring of the file's upstreams and Docker's configuration.
    pub fn new(upstreams: BTreeMap<Registry, Upstream>, docker: DockerConfig) -> Self {
        Self {
            providers: HashMap::new(),
            upstreams,
            docker,
        }
    }

    /// This keyring, with one that decides alone who we are at this registry.
    pub fn with_provider(mut self, registry: Registry, provider: Arc<dyn Credentials>) -> Self {
        self.providers.insert(registry, provider);
        self
    }

    /// Under which name Docker's configuration has the login. Where the registry is read through
    /// another host, Docker's login for the registry's own name does not belong to that host.
    fn docker_name<'a>(&'a self, registry: &'a Registry) -> &'a Registry {
        let upstream = self.upstreams.get(registry);
        upstream
            .and_then(|upstream| upstream.endpoint.as_ref())
            .map_or(registry, |endpoint| &endpoint.registry)
    }
}

#[async_trait]
impl Credentials for Keyring {
    async fn login(&self, registry: &Registry) -> Result<Option<Login>, CredentialsError> {
        if let Some(provider) = self.providers.get(registry) {
            return provider.login(registry).await;
        }
        let upstream = self.upstreams.get(registry);
        if let Some(login) = upstream.and_then(|upstream| upstream.login.clone()) {
            return Ok(Some(login));
        }
        self.docker
            .login(self.docker_name(registry))
            .await
            .map_err(|cause| CredentialsError {
                registry: registry.clone(),
                cause: Box::new(cause),
            })
    }

    async fn refused(&self, registry: &Registry, login: &Login) {
        if let Some(provider) = self.providers.get(registry) {
            provider.refused(registry, login).await;
        }
    }

    fn remedy(&self, registry: &Registry) -> String {
        if self.providers.contains_key(registry) {
            return format!(
                "the login for `{registry}` comes from the AWS session: check who it is, and what \
                 its policies allow"
            );
        }
        let upstream = self.upstreams.get(registry);
        if upstream.is_some_and(|upstream| upstream.login.is_some()) {
            return format!("check the login for `{registry}` under `upstreams` in the file");
        }
        let host = self.docker_name(registry);
        format!(
            "add a login for `{registry}` under `upstreams` in the file, or run \
             `docker login {host}`"
        )
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Keyring")
            .field("providers", &self.providers.keys())
            .field("upstreams", &self.upstreams)
            .field("docker", &self.docker)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Endpoint;

    struct Provider;

    #[async_trait]
    impl Credentials for Provider {
        async fn login(&self, _: &Registry) -> Result<Option<Login>, CredentialsError> {
            Ok(Some(password("provider")))
        }
    }

    fn password(username: &str) -> Login {
        Login::Password {
            username: username.to_owned(),
            password: "p".into(),
        }
    }

    fn registry(name: &str) -> Registry {
        name.parse().unwrap()
    }

    async fn user(keyring: &Keyring, name: &str) -> Option<String> {
        match keyring.login(&registry(name)).await.unwrap()? {
            Login::Password { username, .. } => Some(username),
            Login::IdentityToken(_) => None,
        }
    }

    #[tokio::test]
    async fn the_first_that_knows_counts() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(
            directory.path().join("config.json"),
            r#"{"auths": {
                "ecr.example": {"auth": "ZG9ja2VyOnA="},
                "file.example": {"auth": "ZG9ja2VyOnA="},
                "docker.example": {"auth": "ZG9ja2VyOnA="},
                "mirrored.example": {"auth": "ZG9ja2VyOnA="},
                "mirror.example": {"auth": "bWlycm9yOnA="}
            }}"#,
        )
        .unwrap();
        let path = directory.path().to_str().unwrap().to_owned();
        let docker =
            DockerConfig::load(&|name| (name == "DOCKER_CONFIG").then(|| path.clone())).unwrap();
        let from_file = Upstream {
            login: Some(password("file")),
            endpoint: None,
        };
        let mirrored = |host: &str| Upstream {
            login: None,
            endpoint: Some(host.parse::<Endpoint>().unwrap()),
        };
        let upstreams = BTreeMap::from([
            (registry("ecr.example"), from_file.clone()),
            (registry("file.example"), from_file),
            (
                registry("mirrored.example"),
                mirrored("https://mirror.example"),
            ),
            (registry("docker.io"), mirrored("https://nobody.example")),
        ]);
        let keyring = Keyring::new(upstreams, docker)
            .with_provider(registry("ecr.example"), Arc::new(Provider));
        for (name, expected) in [
            ("ecr.example", Some("provider")),
            ("file.example", Some("file")),
            ("docker.example", Some("docker")),
            ("mirrored.example", Some("mirror")),
            ("docker.io", None),
            ("other.example", None),
        ] {
            assert_eq!(user(&keyring, name).await.as_deref(), expected, "{name}");
        }
        let remedies = ["ecr.example", "file.example", "mirrored.example"]
            .map(|name| keyring.remedy(&registry(name)));
        assert_eq!(
            remedies,
            [
                "the login for `ecr.example` comes from the AWS session: check who it is, and \
                 what its policies allow",
                "check the login for `file.example` under `upstreams` in the file",
                "add a login for `mirrored.example` under `upstreams` in the file, or run \
                 `docker login mirror.example`",
            ]
        );
    }
}
