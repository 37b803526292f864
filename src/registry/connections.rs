//! The process's connections: two kinds, each with and without the proxies of the environment.

use std::time::Duration;

use reqwest::{Certificate, Client, ClientBuilder, redirect};
use url::Url;

use super::transport::is_loopback;
use super::{Cause, NetworkError};

/// The longest time that a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an HTTP/2 connection with requests may be silent before the server is asked whether it
/// is there, and how long it may take to say so. A connection that died without a word is noticed
/// long before [`STALL_TIMEOUT`](super::transport::STALL_TIMEOUT).
const PING_INTERVAL: Duration = Duration::from_secs(15);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a stream's connection is kept for the next one: less than the minute after which load
/// balancers close it, perhaps under a body that cannot be sent twice.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

const USER_AGENT: &str = concat!("longshore/", env!("CARGO_PKG_VERSION"));

/// The process's connections.
pub(super) struct Connections {
    /// For what is small: where a server knows HTTP/2, all of it shares one connection.
    small: Clients,
    /// For blobs: a connection for each that is under way, in HTTP/1.1. In HTTP/2 they would share
    /// one thread that encrypts and one window, 1 MiB in Go's servers: at 20 ms, all uploads
    /// together would not pass 50 MB/s.
    streams: Clients,
}

struct Clients {
    proxied: Client,
    direct: Client,
}

impl Connections {
    /// Connections that trust the system's root certificates (or those of `SSL_CERT_FILE`) and the
    /// ones given as PEM.
    pub(super) fn new(extra_root_certificates: &[u8]) -> Result<Self, Cause> {
        let unusable = |error| Cause::Certificates(NetworkError::new(error));
        let certificates =
            Certificate::from_pem_bundle(extra_root_certificates).map_err(unusable)?;
        let clients = |kind: fn(ClientBuilder) -> ClientBuilder| {
            let builder = || {
                kind(Client::builder())
                    .user_agent(USER_AGENT)
                    .connect_timeout(CONNECT_TIMEOUT)
                    .redirect(redirect::Policy::none())
                    .referer(false)
                    .tls_certs_merge(certificates.clone())
            };
            let proxied = builder().build().map_err(unusable)?;
            let direct = builder().no_proxy().build().map_err(unusable)?;
            Ok::<_, Cause>(Clients { proxied, direct })
        };
        Ok(Self {
            small: clients(|builder| {
                builder
                    .http2_keep_alive_interval(PING_INTERVAL)
                    .http2_keep_alive_timeout(PING_TIMEOUT)
            })?,
            streams: clients(|builder| builder.http1_only().pool_idle_timeout(IDLE_TIMEOUT))?,
        })
    }

    /// Those that a request to this URL goes over. As in Go's clients, what is on this machine is
    /// never asked of a proxy.
    pub(super) fn to(&self, url: &Url, is_stream: bool) -> &Client {
        let Clients { proxied, direct } = if is_stream {
            &self.streams
        } else {
            &self.small
        };
        if is_loopback(url) { direct } else { proxied }
    }
}
