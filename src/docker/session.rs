//! What BuildKit asks of whoever wants a build, over a connection that stands while it builds.
//!
//! bollard has a session of its own, which knows logins and no files: with it the context must be
//! an archive that holds the Dockerfile too, and every `COPY . /` takes that along.

mod credentials;
mod files;
mod health;
mod secret;

use std::fmt::Write as _;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use bollard::health::health_server::HealthServer;
use bollard::moby::buildkit::secrets::v1::secrets_server::SecretsServer;
use bollard::moby::filesync::v1::auth_server::AuthServer;
use bollard::moby::filesync::v1::file_sync_server::FileSyncServer;
use futures_util::{StreamExt, stream};
use tokio::sync::oneshot;
use tonic::transport::Server;
use tracing::debug;

use self::credentials::Logins;
pub(super) use self::files::DOCKERFILE;
use self::files::Files;
use self::health::Alive;
pub use self::secret::BuildSecret;
use self::secret::Vault;
use super::wire::Wire;
use crate::context::Spool;
use crate::image::{Digest, Registry};
use crate::registry::Login;

/// What can be asked for. A method that is not named here BuildKit does not call.
const METHODS: [&str; 3] = [
    "/moby.filesync.v1.FileSync/DiffCopy",
    "/moby.filesync.v1.Auth/Credentials",
    "/moby.buildkit.secrets.v1.Secrets/GetSecret",
];

/// The status of an answer after which the connection speaks HTTP/2.
const SWITCHING_PROTOCOLS: u16 = 101;

/// What a build may ask for.
pub(super) struct Provisions {
    /// The Dockerfile, which no line can copy.
    pub(super) dockerfile: String,
    /// The files that lines can copy, if there are any.
    pub(super) spool: Option<Spool>,
    /// Who to be at which registry.
    pub(super) logins: Vec<(Registry, Login)>,
    /// What `RUN --mount=type=secret` lines see.
    pub(super) secrets: Vec<BuildSecret>,
}

/// A session. It ends when it is dropped.
pub(super) struct Session {
    id: String,
    _end: oneshot::Sender<()>,
}

impl Session {
    /// Opens a session over a new connection. `prefix` is that of the API's version.
    pub(super) async fn open(
        mut wire: Wire,
        prefix: &str,
        provisions: Provisions,
    ) -> io::Result<Self> {
        let id = unique_id();
        let files = Files::new(&provisions.dockerfile, provisions.spool);
        let mut headers = String::from("Connection: Upgrade\r\nUpgrade: h2c\r\n");
        let mut add = |name: &str, value: &str| {
            write!(headers, "X-Docker-Expose-Session-{name}: {value}\r\n")
                .expect("memory takes every write");
        };
        add("Uuid", &id);
        add("Name", "longshore");
        // Of sessions with one key BuildKit takes files for the same that have the same size and
        // time, and all of ours have one time.
        add("Sharedkey", &id);
        for method in METHODS {
            add("Grpc-Method", method);
        }
        let head = wire
            .ask(&format!("POST {prefix}/session"), &headers)
            .await?;
        if head.status != SWITCHING_PROTOCOLS {
            let error = format!("it answered {} instead of opening a session", head.status);
            return Err(io::Error::other(error));
        }
        let server = Server::builder()
            .add_service(HealthServer::new(Alive))
            .add_service(AuthServer::new(Logins(provisions.logins)))
            .add_service(SecretsServer::new(Vault(provisions.secrets)))
            .add_service(FileSyncServer::new(files));
        let (end, ended) = oneshot::channel::<()>();
        tokio::spawn(async move {
            let only = stream::iter([Ok::<_, io::Error>(wire)]);
            // The server says good-bye to all when no other connection can come.
            let only = only.chain(stream::pending());
            // Whoever holds the other end drops it without a word.
            let ended = async { ended.await.unwrap_or_default() };
            if let Err(error) = server.serve_with_incoming_shutdown(only, ended).await {
                debug!(%error, "the session broke off");
            }
        });
        Ok(Self { id, _end: end })
    }

    /// The name by which a build finds it.
    pub(super) fn id(&self) -> &str {
        &self.id
    }
}

/// A name that no other session on the daemon has.
fn unique_id() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let (process, now) = (std::process::id(), SystemTime::now());
    let name = format!("{process} {now:?} {count} {:p}", &raw const COUNT);
    Digest::of(name.as_bytes()).hex().to_owned()
}
