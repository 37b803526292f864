//! The builders that a daemon has.

use std::fmt;

use super::connection::{Docker, GREETING};
use super::error::{Error, Transport};
use super::wire::Wire;

/// The version of the API since which the daemon has BuildKit (Docker 18.09).
const FIRST: (usize, usize) = (1, 39);

/// One of Docker's two builders.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Engine {
    /// The classic one, which every daemon has.
    Classic,
    /// BuildKit.
    BuildKit,
}

impl fmt::Display for Engine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Classic => "the classic builder",
            Self::BuildKit => "BuildKit",
        })
    }
}

/// The builders that a daemon has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Engines {
    /// The one that the daemon builds with where nobody chooses: BuildKit since Docker 23.0.
    pub usual: Engine,
    /// The version of the API, where the daemon has BuildKit: what it understands depends on it.
    pub buildkit: Option<(usize, usize)>,
}

impl Docker {
    /// Asks which builders there are. The daemon tells in the headers of `GET /_ping` with which
    /// one it builds, and where it is not Docker's; bollard keeps those headers for itself.
    pub async fn engines(&self) -> Result<Engines, Error> {
        let ask = async {
            let mut wire = Wire::open(&self.address).await?;
            wire.ask("GET /_ping", "").await
        };
        let head = tokio::time::timeout(GREETING, ask).await;
        let head = head.unwrap_or_else(|elapsed| Err(elapsed.into()));
        let head = head.map_err(|source| Error::Unreachable {
            address: self.address.to_string(),
            source: Transport::io(source),
        })?;
        let is_usual = head.header("builder-version") == Some("2");
        // Podman answers as Docker does, and builds with Buildah.
        let is_docker = head.header("libpod-api-version").is_none();
        let runs_linux = self.platform().os() == "linux";
        let has_buildkit = is_docker && runs_linux && self.version >= FIRST;
        Ok(Engines {
            usual: if is_usual && has_buildkit {
                Engine::BuildKit
            } else {
                Engine::Classic
            },
            buildkit: has_buildkit.then_some(self.version),
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::docker::address::Address;
    use crate::docker::fake::Fake;

    /// What is made of a daemon of this version that answers `GET /_ping` with these headers.
    async fn engines(api: &str, headers: &str) -> Engines {
        let mut docker = Fake::start(api, &[]).await.connect(&[]).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = format!("tcp://{}", listener.local_addr().unwrap());
        docker.address = Address::parse(&host, "".as_ref(), false).unwrap();
        let answer = format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: 2\r\n\r\nOK");
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let length = stream.read(&mut request).await.unwrap();
            assert!(request[..length].starts_with(b"GET /_ping HTTP/1.1\r\n"));
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        docker.engines().await.unwrap()
    }

    #[tokio::test]
    async fn the_daemon_tells_its_builders() {
        let (classic, buildkit) = (Engine::Classic, Engine::BuildKit);
        for (api, headers, usual, version) in [
            ("1.44", "Builder-Version: 2\r\n", buildkit, Some((1, 44))),
            ("1.44", "builder-version: 1\r\n", classic, Some((1, 44))),
            ("1.41", "", classic, Some((1, 41))),
            ("1.38", "", classic, None),
            ("1.41", "Libpod-API-Version: 5.0\r\n", classic, None),
        ] {
            let expected = Engines {
                usual,
                buildkit: version,
            };
            assert_eq!(engines(api, headers).await, expected, "{api} {headers}");
        }
    }
}
