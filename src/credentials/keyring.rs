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
mod tests {
    use super::super::Scope;
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

    fn mirrored(endpoint: &str) -> Upstream {
        Upstream {
            endpoint: Some(endpoint.parse::<Endpoint>().unwrap()),
            ..Upstream::default()
        }
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
            login: Some(UpstreamLogin::Known(password("file"))),
            ..Upstream::default()
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
        let keyring = Keyring::new(upstreams, EcrTokens::default(), docker)
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

    #[test]
    fn aws_decides_where_ecr_is_read() {
        let ecr = |account: char, region: &str| {
            let account = account.to_string().repeat(12);
            format!("{account}.dkr.ecr.{region}.amazonaws.com")
        };
        let [plain, profile, role, login, mirror, named, moved] =
            ['0', '1', '2', '3', '4', '5', '6'].map(|account| ecr(account, "us-east-1"));
        let by_profile = || Some("source".to_owned());
        let upstreams = [
            (
                &profile,
                Upstream {
                    profile: by_profile(),
                    ..Upstream::default()
                },
            ),
            (
                &role,
                Upstream {
                    role_arn: Some("arn:aws:iam::222222222222:role/pull".to_owned()),
                    ..Upstream::default()
                },
            ),
            (
                &login,
                Upstream {
                    login: Some(UpstreamLogin::Known(password("AWS"))),
                    ..Upstream::default()
                },
            ),
            (&mirror, mirrored("https://mirror.example")),
            (
                &named,
                Upstream {
                    profile: by_profile(),
                    ..mirrored("https://mirror.example")
                },
            ),
            (
                &"ecr-public.aws.com".to_owned(),
                Upstream {
                    profile: by_profile(),
                    ..Upstream::default()
                },
            ),
            (&moved, mirrored(&ecr('6', "eu-west-1"))),
            (&"ghcr.io".to_owned(), mirrored(&ecr('0', "eu-west-1"))),
        ]
        .map(|(name, upstream)| (registry(name), upstream));
        let keyring = Keyring::new(
            upstreams.into(),
            EcrTokens::default(),
            DockerConfig::default(),
        );
        let decides = |name: &String| {
            let registry = registry(name);
            match keyring.authority(&registry) {
                Authority::Provider(_) => "a provider".to_owned(),
                Authority::File(_) => "the file".to_owned(),
                Authority::Aws(caller) => match &caller.scope {
                    Scope::Region(region) => format!("{caller} in {region}"),
                    Scope::Public => format!("{caller}"),
                },
                Authority::Docker(name) => format!("Docker for {name}"),
                Authority::DockerElseAws(name, _) => format!("Docker for {name}, else AWS"),
            }
        };
        let hosts = [
            &plain,
            &profile,
            &role,
            &login,
            &mirror,
            &named,
            &moved,
            &"ghcr.io".to_owned(),
            &"public.ecr.aws".to_owned(),
        ];
        assert_eq!(
            hosts.map(decides),
            [
                "the AWS session in us-east-1",
                "the AWS profile `source` in us-east-1",
                "the AWS role `arn:aws:iam::222222222222:role/pull` in us-east-1",
                "the file",
                "Docker for mirror.example",
                "the AWS profile `source` in us-east-1",
                "the AWS session in eu-west-1",
                "the AWS session in eu-west-1",
                "Docker for public.ecr.aws",
            ]
        );
        assert_eq!(
            decides(&"ecr-public.aws.com".to_owned()),
            "the AWS profile `source`"
        );
        let public = "public.ecr.aws".to_owned();
        let writing = keyring.writing_to_public_ecr();
        assert!(matches!(
            writing.authority(&registry(&public)),
            Authority::DockerElseAws(..)
        ));
        assert_eq!(
            writing.remedy(&registry(&public)),
            "where Docker has no login for `public.ecr.aws`, one comes from the AWS session: run \
             `docker logout public.ecr.aws` if it is old, or check who the session is, and that it \
             may `ecr-public:GetAuthorizationToken` and `sts:GetServiceBearerToken`"
        );
        let keyring = writing;
        assert_eq!(
            [&role, &mirror].map(|host| keyring.remedy(&registry(host))),
            [
                "the login for `222222222222.dkr.ecr.us-east-1.amazonaws.com` comes from the AWS \
                 role `arn:aws:iam::222222222222:role/pull`: check what its policies and the \
                 repository's allow, or name another `profile` or `role_arn` for it under \
                 `upstreams` in the file",
                "name a `profile` or `role_arn` for `444444444444.dkr.ecr.us-east-1.amazonaws.com` \
                 under `upstreams` in the file, whose ECR token `mirror.example` then gets, or run \
                 `docker login mirror.example`",
            ]
        );
    }
}
