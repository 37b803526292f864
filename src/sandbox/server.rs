//! The sandbox as a whole: its start, its addresses and its end.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http;
use axum::response::Response;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::fault::Fault;
use super::log::{Request, Server};
use super::options::Options;
use super::parameters::Parameters;
use super::pull_through::Imports;
use super::secrets::Secrets;
use super::state::{Addresses, State};
use super::store::Store;
use super::tokens::Tokens;
use super::traffic::Traffic;
use super::upstream::{Access, Pulls};
use super::{api, registry, storage, upstream};

/// The most bytes of a call to the API. The policies are the largest things in one.
const LARGEST_CALL: usize = 1024 * 1024;

/// A running sandbox. Dropping it stops its servers; what it keeps in memory is gone with it.
pub struct Sandbox {
    state: Arc<State>,
    servers: JoinSet<io::Result<()>>,
    _stop: DropGuard,
}

/// A sandbox could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A port is taken.
    #[error("cannot listen on 127.0.0.1:{port} for the sandbox's {server}")]
    Listen {
        /// The server that wanted the port.
        server: Server,
        /// The port.
        port: u16,
        /// Why.
        source: io::Error,
    },
    /// The data folder cannot be used, or holds something else.
    #[error("cannot use the sandbox's data folder `{}`", folder.display())]
    Data {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Sandbox {
    /// Starts the servers; they answer when this returns.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let data = options.data.as_deref();
        let store = Store::open(data).map_err(|source| StartError::Data {
            folder: data.map(Path::to_owned).unwrap_or_default(),
            source,
        })?;
        let ports = options.ports;
        let (api, api_address) = listen(Server::Api, ports.api).await?;
        let (registry, registry_address) = listen(Server::Registry, ports.registry).await?;
        let (storage, storage_address) = listen(Server::Storage, ports.storage).await?;
        let hub = match options.upstream {
            Some(_) => Some(listen(Server::Upstream, ports.upstream).await?),
            None => None,
        };
        let limit = options
            .upstream
            .as_ref()
            .and_then(|upstream| upstream.pulls);
        let state = Arc::new(State {
            addresses: Addresses {
                api: api_address,
                registry: registry_address,
                storage: storage_address,
                upstream: hub.as_ref().map(|(_, address)| *address),
            },
            store,
            uploads: Mutex::default(),
            tokens: Tokens::default(),
            blob_mounting: options.blob_mounting.into(),
            imports: Imports::default(),
            secrets: Secrets::default(),
            parameters: Parameters::default(),
            access: Access::default(),
            pulls: limit.map(Pulls::new),
            traffic: Traffic::new(options.record),
            options,
        });
        let stop = CancellationToken::new();
        let mut servers = JoinSet::new();
        let doors = [
            (Server::Api, api),
            (Server::Registry, registry),
            (Server::Storage, storage),
        ];
        let hub = hub.map(|(listener, _)| (Server::Upstream, listener));
        for (server, listener) in doors.into_iter().chain(hub) {
            let state = Arc::clone(&state);
            let router = Router::new().fallback(move |request| {
                let state = Arc::clone(&state);
                async move { answer(&state, server, request).await }
            });
            let stopped = stop.clone().cancelled_owned();
            let serving = axum::serve(listener, router).with_graceful_shutdown(stopped);
            servers.spawn(serving.into_future());
        }
        Ok(Self {
            state,
            servers,
            _stop: stop.drop_guard(),
        })
    }

    /// The AWS API's URL, for `AWS_ENDPOINT_URL`.
    pub fn api_url(&self) -> String {
        format!("http://{}", self.state.addresses.api)
    }

    /// The registry's host and port.
    pub fn registry(&self) -> String {
        self.state.addresses.registry.to_string()
    }

    /// The upstream registry's host and port, where there is one.
    pub fn upstream(&self) -> Option<String> {
        self.state
            .addresses
            .upstream
            .map(|address| address.to_string())
    }

    /// The environment in which AWS clients find the sandbox: names and values.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let options = &self.state.options;
        let key = options.access_key_id.clone();
        vec![
            ("AWS_ENDPOINT_URL", self.api_url()),
            ("AWS_ACCESS_KEY_ID", key.unwrap_or("SANDBOX".to_owned())),
            ("AWS_SECRET_ACCESS_KEY", "sandbox".to_owned()),
            ("AWS_REGION", options.region.clone()),
            // Version 1 of the AWS CLI reads no other.
            ("AWS_DEFAULT_REGION", options.region.clone()),
        ]
    }

    /// All requests answered so far, in the order of the answers; none where
    /// [`Options::record`] is off.
    pub fn requests(&self) -> Vec<Request> {
        self.state.traffic.requests()
    }

    /// All requests answered since the last call.
    pub fn take_requests(&self) -> Vec<Request> {
        self.state.traffic.take_requests()
    }

    /// Lets something go wrong. Of several faults that match a request, the oldest strikes.
    pub fn inject(&self, fault: Fault) {
        self.state.traffic.inject(fault);
    }

    /// Ends every fault.
    pub fn mend(&self) {
        self.state.traffic.mend();
    }

    /// Makes every registry token issued so far an expired one, as if twelve hours had passed.
    pub fn expire_tokens(&self) {
        self.state.tokens.expire_passwords();
    }

    /// Makes every cached tag due for a look at its upstream, as if 24 hours had passed.
    pub fn age_cache(&self) -> io::Result<()> {
        self.state.store.change(|inventory| {
            for repository in inventory.repositories.values_mut() {
                repository.compared_at.clear();
            }
            Ok(())
        })
    }

    /// Waits until a server ends, which none does by itself: a command waits here for its signal.
    pub async fn wait(&mut self) {
        self.servers.join_next().await;
    }
}

impl fmt::Display for Sandbox {
    /// What a user needs to know when the sandbox has started.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "longshore's stand-in for Amazon ECR is running on loopback.\n\
             It is a test double: it checks no signature, enforces no policy, and is not AWS.\n"
        )?;
        writeln!(formatter, "AWS API   {}", self.api_url())?;
        writeln!(formatter, "registry  {}", self.registry())?;
        if let Some(upstream) = self.upstream() {
            writeln!(formatter, "upstream  {upstream}")?;
        }
        Ok(())
    }
}

async fn listen(server: Server, port: u16) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen {
        server,
        port,
        source,
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

async fn answer(state: &State, server: Server, request: http::Request<Body>) -> Response {
    let traffic = &state.traffic;
    match server {
        Server::Api => call(state, request).await,
        Server::Registry => {
            let answer = |request| registry::serve(state, request);
            traffic.pass(server, None, request, answer).await
        }
        Server::Storage => {
            let answer = |request| storage::serve(state, request);
            traffic.pass(server, None, request, answer).await
        }
        Server::Upstream => {
            let answer = |request| upstream::serve(state, request);
            traffic.pass(server, None, request, answer).await
        }
    }
}

/// A call to the API is read as a whole before anything else, because STS names the operation in
/// the body.
async fn call(state: &State, request: http::Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, LARGEST_CALL)
        .await
        .unwrap_or_default();
    let operation = api::operation(&parts.headers, &body);
    let request = http::Request::from_parts(parts, Body::empty());
    let named = operation.clone();
    let answer = |request: http::Request<Body>| async move {
        api::serve(state, request.headers(), named.as_deref(), &body).await
    };
    state
        .traffic
        .pass(Server::Api, operation, request, answer)
        .await
}
