//! What a sandbox is started with.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

/// What a sandbox is started with. [`Options::default`] is a fresh registry in memory, on ports
/// that the operating system chooses, without an upstream registry.
#[derive(Clone, Debug)]
pub struct Options {
    /// The account that everything belongs to, twelve digits.
    pub account_id: String,
    /// The region in ARNs and in [`Sandbox::environment`](super::Sandbox::environment).
    pub region: String,
    /// The ports to listen on.
    pub ports: Ports,
    /// The one access key id that the AWS API accepts, apart from those that it issued itself.
    /// `None`: any, and requests without a signature too.
    pub access_key_id: Option<String>,
    /// A folder that keeps everything across restarts. `None`: memory.
    pub data: Option<PathBuf>,
    /// Whether a push creates a missing repository, with default settings, also where no repository
    /// creation template says so.
    pub create_on_push: bool,
    /// Whether blobs can be mounted from another repository: the account setting `BLOB_MOUNTING`.
    pub blob_mounting: bool,
    /// An upstream registry beside ECR.
    pub upstream: Option<Upstream>,
    /// Where the upstream registries of pull-through cache rules really are: `http://127.0.0.1:5000`
    /// by `registry-1.docker.io`. For those that are not here [`Self::upstream`] stands in; where
    /// there is none they do not answer.
    pub upstream_endpoints: BTreeMap<String, String>,
    /// Whether every request is kept for [`Sandbox::requests`](super::Sandbox::requests). It is by
    /// default, for tests; whoever serves for days must not.
    pub record: bool,
}

/// The ports to listen on, all on 127.0.0.1; 0 lets the operating system choose.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ports {
    /// The AWS API.
    pub api: u16,
    /// The registry.
    pub registry: u16,
    /// The storage that the registry's blob downloads redirect to.
    pub storage: u16,
    /// The upstream registry.
    pub upstream: u16,
}

/// A read-only upstream registry that behaves like Docker Hub.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// The folder of OCI layouts: `library/mongo` is the repository at `ROOT/library/mongo`.
    pub root: PathBuf,
    /// Whether requests need a token of the token service, as at Docker Hub. Without it a `login`
    /// is asked for by HTTP Basic at every request.
    pub bearer: bool,
    /// The only login accepted. `None`: anonymous.
    pub login: Option<Login>,
    /// The only ECR token accepted, by HTTP Basic at every request, as if this were the ECR of
    /// another account and region. `None`: it is no ECR.
    pub ecr_token: Option<EcrToken>,
    /// How many manifests may be pulled before 429, shown in `ratelimit-remaining`; a HEAD costs
    /// nothing. `None`: no limit and no such headers, as for Docker Hub's paying customers.
    pub pulls: Option<PullLimit>,
    /// Whether it lists what refers to a manifest. Docker Hub does not (docker/roadmap#724).
    pub referrers: bool,
}

/// How many manifests may be pulled in which time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PullLimit {
    /// How many.
    pub pulls: u32,
    /// How long the window is that they are counted in, in whole seconds.
    pub window: Duration,
}

/// To whom and where `GetAuthorizationToken` gave a token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EcrToken {
    /// The caller's account, twelve digits.
    pub account_id: String,
    /// The region that was asked.
    pub region: String,
}

/// A user name and a password.
#[derive(Clone, Debug)]
pub struct Login {
    /// The user name.
    pub username: String,
    /// The password.
    pub password: SecretString,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            account_id: "123456789012".to_owned(),
            region: "eu-west-1".to_owned(),
            ports: Ports::default(),
            access_key_id: None,
            data: None,
            create_on_push: false,
            blob_mounting: false,
            upstream: None,
            upstream_endpoints: BTreeMap::new(),
            record: true,
        }
    }
}

impl Upstream {
    /// An upstream like Docker Hub for anonymous users, without a limit.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            bearer: true,
            login: None,
            ecr_token: None,
            pulls: None,
            referrers: false,
        }
    }
}

impl PullLimit {
    /// So many in Docker Hub's window of six hours.
    pub fn new(pulls: u32) -> Self {
        Self {
            pulls,
            window: Duration::from_hours(6),
        }
    }
}

impl Login {
    /// A login from its parts.
    pub fn new(username: &str, password: &str) -> Self {
        Self {
            username: username.to_owned(),
            password: SecretString::from(password),
        }
    }
}
