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
