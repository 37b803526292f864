//! The connection to the daemon.

use std::time::Duration;

use bollard::models::SystemVersion;
use bollard::{API_DEFAULT_VERSION, BollardRequest};
use tracing::debug;

use super::address::{Address, Scheme};
use super::error::{Error, Transport};
use crate::image::Platform;

/// How long a daemon may take to answer at all, a connection over SSH included.
pub(super) const GREETING: Duration = Duration::from_secs(10);

/// How long a daemon may take to answer a short question. A daemon busy with several builds waits
/// for its disk.
const ANSWER: Duration = Duration::from_mins(2);

/// How long a daemon may take until a build or a push says its first word, the upload of the
/// context included: a push may wait behind others for the same layers. What follows the first
/// word has no limit.
pub(super) const FIRST_WORD: Duration = Duration::from_mins(30);

/// A Docker daemon. Clones share the connection.
#[derive(Clone, Debug)]
pub struct Docker {
    pub(super) client: bollard::Docker,
    /// Where it is, for what bollard cannot say.
    pub(super) address: Address,
    /// The API's version, as paths begin with it.
    pub(super) prefix: String,
    pub(super) version: (usize, usize),
    platform: Platform,
}

impl Docker {
    /// Finds the daemon as the `docker` command does and agrees with it on a version of its API.
    /// `env` reads an environment variable: `DOCKER_HOST`, `DOCKER_CONTEXT`, `DOCKER_CONFIG`,
    /// `DOCKER_CERT_PATH`, `DOCKER_TLS_VERIFY`, `DOCKER_TLS`, `DOCKER_API_VERSION` and `HOME`
    /// (`USERPROFILE` on Windows). A daemon that is not there is told within ten seconds.
    pub fn connect(
        env: &dyn Fn(&str) -> Option<String>,
    ) -> impl Future<Output = Result<Self, Error>> + Send + use<> {
        let address = Address::resolve(env);
        let version = env("DOCKER_API_VERSION").filter(|version| !version.is_empty());
        async move { Self::greet(address?, version).await }
    }

    /// The platform that the daemon runs images on without emulation.
    pub fn platform(&self) -> &Platform {
        &self.platform
    }

    /// Whether the daemon may be on this very machine: Docker Desktop's has a socket here, and lives
    /// in a machine of its own.
    pub(super) fn is_on_this_machine(&self) -> bool {
        self.address.scheme == Scheme::Unix
    }

    /// How many processors the daemon has; one where it does not say.
    pub async fn processors(&self) -> usize {
        let info = self.client.info().await;
        let count = info.ok().and_then(|info| info.ncpu);
        count
            .and_then(|count| usize::try_from(count).ok())
            .unwrap_or(1)
            .max(1)
    }

    async fn greet(address: Address, wanted: Option<String>) -> Result<Self, Error> {
        let client = open(&address)?;
        let greeting = client.version().await;
        let server = greeting.map_err(|source| Error::Unreachable {
            address: address.to_string(),
            source: Transport::new(source),
        })?;
        let version = match wanted {
            Some(version) => parse("DOCKER_API_VERSION", &version)?,
            None => agree(&server, &address)?,
        };
        let (os, architecture) = (server.os.as_deref(), server.arch.as_deref());
        let platform = Platform::new(
            os.unwrap_or("linux"),
            architecture.unwrap_or(std::env::consts::ARCH),
            None,
        );
        let engine = server.version.unwrap_or_default();
        debug!(%address, engine, api = ?version, %platform, "found the Docker daemon");
        let prefix = format!("/v{}.{}", version.0, version.1);
        let before = prefix.clone();
        let client = client
            .with_timeout(ANSWER)
            .with_request_modifier(move |request| amend(request, &before));
        Ok(Self {
            client,
            address,
            prefix,
            version,
            platform,
        })
    }

    /// The client for a build by BuildKit, in a session that stands already: where bollard is asked
    /// for BuildKit, it opens one of its own.
    pub(super) fn for_buildkit(&self) -> bollard::Docker {
        let prefix = self.prefix.clone();
        self.patient().with_request_modifier(move |request| {
            let mut request = amend(request, &prefix);
            let text = request.uri().to_string();
            let text = text.replacen("&version=1", "&version=2", 1);
            *request.uri_mut() = text.parse().expect("a sound URI with another digit");
            request
        })
    }

    /// The client for what takes long to begin.
    pub(super) fn patient(&self) -> bollard::Docker {
        self.client.clone().with_timeout(FIRST_WORD)
    }
}

/// A client that has not spoken yet.
fn open(address: &Address) -> Result<bollard::Docker, Error> {
    let host = address.to_string();
    let timeout = GREETING.as_secs();
    let version = API_DEFAULT_VERSION;
    let client = match (address.scheme, &address.tls) {
        (Scheme::Unix, _) if cfg!(unix) => {
            bollard::Docker::connect_with_local(&host, timeout, version)
        }
        (Scheme::NamedPipe, _) if cfg!(windows) => {
            bollard::Docker::connect_with_local(&host, timeout, version)
        }
        (Scheme::Unix | Scheme::NamedPipe, _) => return Err(Error::NotAnAddress { host }),
        (Scheme::Ssh, _) => bollard::Docker::connect_with_ssh(&host, timeout, version, None),
        (Scheme::Tcp, None) => bollard::Docker::connect_with_http(&host, timeout, version),
        (Scheme::Tcp, Some(tls)) => {
            let (key, certificate, ca) = (&tls.key, &tls.certificate, &tls.ca);
            let client =
                bollard::Docker::connect_with_ssl(&host, key, certificate, ca, timeout, version);
            return client.map_err(|source| Error::Tls {
                address: host,
                source: Transport::new(source),
            });
        }
    };
    client.map_err(|source| Error::Unreachable {
        address: host,
        source: Transport::new(source),
    })
}

/// The newest version of the API that both sides know.
fn agree(server: &SystemVersion, address: &Address) -> Result<(usize, usize), Error> {
    let newest = server.api_version.as_deref().unwrap_or_default();
    let newest = parse(&format!("the Docker daemon at `{address}`"), newest)?;
    let known = (
        API_DEFAULT_VERSION.major_version,
        API_DEFAULT_VERSION.minor_version,
    );
    Ok(newest.min(known))
}

fn parse(place: &str, version: &str) -> Result<(usize, usize), Error> {
    let number = version.strip_prefix('v').unwrap_or(version);
    let parts = number.split_once('.');
    let parts = parts.and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    parts.ok_or_else(|| Error::Version {
        place: place.to_owned(),
        version: version.to_owned(),
    })
}

/// Puts the API's version before the path, which bollard leaves out, and writes the credentials in
/// the URL-safe alphabet: Docker reads no other and ignores, without a word, a header with `+` or
/// `/` in it. bollard 0.21 writes the standard alphabet (bollard#169).
fn amend(mut request: BollardRequest, prefix: &str) -> BollardRequest {
    let mut uri = std::mem::take(request.uri_mut()).into_parts();
    uri.path_and_query = uri.path_and_query.map(|rest| {
        let path = format!("{prefix}{rest}");
        path.parse().expect("a sound path after a version")
    });
    *request.uri_mut() = uri.try_into().expect("the parts of a sound URI");
    for name in ["x-registry-auth", "x-registry-config"] {
        if let Some(value) = request.headers_mut().get_mut(name) {
            let encoded = value.to_str().expect("base64 is ASCII");
            let encoded = encoded.replace('+', "-").replace('/', "_");
            *value = encoded.parse().expect("base64 is a sound header");
            value.set_sensitive(true);
        }
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::fake::Fake;
    use crate::failure::{Failure as _, Kind};

    #[tokio::test]
    async fn both_sides_agree_on_a_version() {
        for (api, variables, prefix) in [
            ("1.41", &[][..], "/v1.41"),
            ("1.99", &[], "/v1.53"),
            ("1.41", &[("DOCKER_API_VERSION", "1.30")], "/v1.30"),
            ("1.41", &[("DOCKER_API_VERSION", "")], "/v1.41"),
        ] {
            let fake = Fake::start(api, &[]).await;
            let docker = fake.connect(variables).await;
            assert_eq!(docker.platform().to_string(), "linux/arm64");
            docker.remove("h:5/r:1").await.unwrap();
            let delete = format!("DELETE {prefix}/images/h:5/r:1");
            assert_eq!(fake.lines(), ["GET /version".to_owned(), delete]);
        }
    }

    #[tokio::test]
    async fn a_missing_daemon_is_told_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().to_str().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let closed = listener.local_addr().unwrap().to_string();
        drop(listener);
        let mut told = Vec::new();
        for host in [
            format!("unix://{place}/docker.sock"),
            format!("tcp://{closed}"),
        ] {
            let env = |name: &str| (name == "DOCKER_HOST").then(|| host.clone());
            let error = Docker::connect(&env).await.unwrap_err();
            assert_eq!(error.kind(), Kind::Unreachable);
            let source = std::error::Error::source(&error).unwrap();
            let hint = error.hint().unwrap();
            told.push(format!("{error}: {source}\n{hint}"));
        }
        let told = told.join("\n");
        insta::assert_snapshot!(told.replace(place, "/run").replace(&closed, "127.0.0.1:9"), @r"
        cannot reach the Docker daemon at `unix:///run/docker.sock`: there is no such socket
        start Docker, or name the daemon in DOCKER_HOST or with `docker context use`; CodeBuild needs privileged mode
        cannot reach the Docker daemon at `tcp://127.0.0.1:9`: Connection refused (os error 111)
        start Docker, or name the daemon in DOCKER_HOST or with `docker context use`; CodeBuild needs privileged mode
        ");
    }

    #[tokio::test]
    async fn processors_are_those_of_the_daemon() {
        for (status, info, expected) in [
            (200, r#"{"NCPU":6}"#, 6),
            (200, r#"{"NCPU":0}"#, 1),
            (500, "{}", 1),
        ] {
            let fake = Fake::start("1.41", &[("GET /v1.41/info", status, info)]).await;
            assert_eq!(fake.connect(&[]).await.processors().await, expected);
        }
    }
}
