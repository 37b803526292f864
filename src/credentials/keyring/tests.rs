//! Who decides on a login, and what to do where it is refused.

use super::*;
use crate::credentials::Scope;
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
