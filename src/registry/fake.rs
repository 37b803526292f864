//! A server for the tests of this room: it answers as told and keeps what it was sent.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, Response};
use axum::routing::any;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use parking_lot::Mutex;
use secrecy::SecretString;
use tokio::io::{AsyncReadExt, copy};
use tokio::net::TcpStream;

use super::{Client, Credentials, CredentialsError, Endpoint, Login, OnPause, Options, Politeness};
use crate::image::media_type::OCI_MANIFEST;
use crate::image::{Digest, Manifest, Reference, Registry};

/// How `/v2/` is asked for.
pub(super) const PING: &str = "GET /v2/";

/// A running server. It ends with the test's runtime.
pub(super) struct Fake {
    address: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// A request as it came.
#[derive(Clone)]
pub(super) struct Seen {
    /// Method, path and query.
    pub(super) line: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Whether all of the body came.
    pub(super) is_whole: bool,
}

/// An answer to give.
pub(super) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
    is_broken: bool,
    is_chunked: bool,
}

/// Hands out these logins one after another, the last one for ever.
struct Logins(Mutex<Vec<Option<Login>>>);

impl Fake {
    /// Starts a server. The script gets a request and how many with the same line came before. What
    /// it answers to [`PING`] counts only where it is a challenge.
    pub(super) async fn start(
        script: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::start_with_ping(move |request, earlier| match script(request, earlier) {
            reply if request.line == PING && reply.status != 401 => Reply::status(200),
            reply => reply,
        })
        .await
    }

    /// Starts a server whose script answers [`PING`] as all else.
    pub(super) async fn start_with_ping(
        script: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let seen = Arc::new(Mutex::new(Vec::<Seen>::new()));
        let (script, log) = (Arc::new(script), Arc::clone(&seen));
        let handler = any(move |request: Request<Body>| {
            let (script, log) = (Arc::clone(&script), Arc::clone(&log));
            async move {
                let (parts, body) = request.into_parts();
                let line = format!("{} {}", parts.method, parts.uri);
                let body = to_bytes(body, usize::MAX).await.ok();
                let request = Seen {
                    line,
                    headers: parts.headers,
                    is_whole: body.is_some(),
                    body: body.unwrap_or_default(),
                };
                let mut log = log.lock();
                let earlier = log.iter().filter(|seen| seen.line == request.line).count();
                log.push(request.clone());
                drop(log);
                script(&request, earlier).into_response()
            }
        });
        let router = axum::Router::new().fallback(handler);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, seen }
    }

    /// Where connections lead here, of which one ends after so many bytes were sent: the first that
    /// sends as many.
    pub(super) async fn behind_a_bad_line(&self, bytes: u64) -> Endpoint {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = self.address.clone();
        tokio::spawn(async move {
            let is_broken = Arc::new(AtomicBool::new(false));
            loop {
                let is_broken = Arc::clone(&is_broken);
                let (client, _) = listener.accept().await.unwrap();
                let server = TcpStream::connect(&server).await.unwrap();
                let (mut from_client, mut to_client) = client.into_split();
                let (mut from_server, mut to_server) = server.into_split();
                let back =
                    tokio::spawn(async move { copy(&mut from_server, &mut to_client).await });
                let limited = async move {
                    let mut beginning = (&mut from_client).take(bytes);
                    let sent = copy(&mut beginning, &mut to_server).await;
                    if sent.unwrap_or(0) < bytes || is_broken.swap(true, Ordering::Relaxed) {
                        let _ = copy(&mut from_client, &mut to_server).await;
                    }
                    back.abort();
                };
                tokio::spawn(limited);
            }
        });
        format!("http://{address}").parse().unwrap()
    }

    pub(super) fn registry(&self) -> Registry {
        self.address.parse().unwrap()
    }

    pub(super) fn image(&self, name: &str) -> Reference {
        format!("{}/{name}", self.address).parse().unwrap()
    }

    /// Every request but [`PING`]: method, path, query and authorization.
    pub(super) fn log(&self) -> Vec<String> {
        let line = |seen: &Seen| format!("{} {}", seen.line, seen.authorization());
        let lines = self.requests();
        lines
            .iter()
            .map(|seen| line(seen).trim_end().to_owned())
            .collect()
    }

    /// Every request but [`PING`].
    pub(super) fn requests(&self) -> Vec<Seen> {
        let mut seen = self.seen.lock().clone();
        seen.retain(|seen| seen.line != PING);
        seen
    }

    /// How often [`PING`] came.
    pub(super) fn pings(&self) -> usize {
        let seen = self.seen.lock();
        seen.iter().filter(|seen| seen.line == PING).count()
    }

    /// A client without credentials.
    pub(super) fn client(&self) -> Client {
        self.client_with(&self.address, vec![None])
    }

    /// A client that finds this registry here.
    pub(super) fn client_for(&self, registry: &str) -> Client {
        self.client_with(registry, vec![None])
    }

    /// A client with one login.
    pub(super) fn client_as(&self, username: &str, password: &str) -> Client {
        self.client_with(&self.address, vec![Some(login(username, password))])
    }

    /// A client that tells of pauses.
    pub(super) fn client_that_tells(&self, on_pause: OnPause) -> Client {
        let endpoint = format!("http://{}", self.address);
        let politeness = Politeness {
            on_pause: Some(on_pause),
            ..Politeness::default()
        };
        client_with(&self.address, &endpoint, vec![None], politeness)
    }

    /// A client that finds this registry here and gets these logins one after another, the last
    /// one for ever.
    pub(super) fn client_with(&self, registry: &str, logins: Vec<Option<Login>>) -> Client {
        client(registry, &format!("http://{}", self.address), logins)
    }
}

pub(super) fn client(registry: &str, endpoint: &str, logins: Vec<Option<Login>>) -> Client {
    client_with(registry, endpoint, logins, Politeness::default())
}

fn client_with(
    registry: &str,
    endpoint: &str,
    logins: Vec<Option<Login>>,
    politeness: Politeness,
) -> Client {
    let endpoint: Endpoint = endpoint.parse().unwrap();
    Client::new(Options {
        credentials: Arc::new(Logins(Mutex::new(logins))),
        endpoints: BTreeMap::from([(registry.parse().unwrap(), endpoint)]),
        extra_root_certificates: Vec::new(),
        politeness,
    })
    .unwrap()
}

pub(super) fn login(username: &str, password: &str) -> Login {
    Login::Password {
        username: username.to_owned(),
        password: SecretString::from(password),
    }
}

#[async_trait]
impl Credentials for Logins {
    async fn login(&self, _: &Registry) -> Result<Option<Login>, CredentialsError> {
        let mut logins = self.0.lock();
        Ok(if logins.len() > 1 {
            logins.remove(0)
        } else {
            logins[0].clone()
        })
    }
}

impl Seen {
    /// The value of `Authorization`.
    pub(super) fn authorization(&self) -> &str {
        let value = self.headers.get("authorization");
        value.map_or("", |value| value.to_str().unwrap())
    }
}

impl Reply {
    pub(super) fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: String::new(),
            is_broken: false,
            is_chunked: false,
        }
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(header, _)| header != name);
        self
    }

    pub(super) fn body(self, body: &str) -> Self {
        let body = body.to_owned();
        Self { body, ..self }
    }

    /// The connection ends before the body does.
    pub(super) fn broken(self) -> Self {
        Self {
            is_broken: true,
            ..self
        }
    }

    /// The body's length is not told before.
    pub(super) fn chunked(self) -> Self {
        Self {
            is_chunked: true,
            ..self
        }
    }

    /// A small manifest, with all headers.
    pub(super) fn manifest() -> Self {
        let manifest = Self::manifest_value();
        let text = String::from_utf8(manifest.bytes().to_vec()).unwrap();
        Self::status(200)
            .header("content-type", manifest.media_type())
            .header("docker-content-digest", manifest.digest().as_str())
            .body(&text)
    }

    pub(super) fn manifest_value() -> Manifest {
        let text = format!(r#"{{"schemaVersion":2,"mediaType":"{OCI_MANIFEST}"}}"#);
        Manifest::new(OCI_MANIFEST, Bytes::from(text))
    }

    pub(super) fn manifest_digest() -> Digest {
        Self::manifest_value().digest().clone()
    }

    fn into_response(self) -> Response<Body> {
        let mut response = Response::builder().status(self.status);
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        let body = if self.is_broken {
            let begin = stream::iter([Ok(Bytes::from(self.body))]);
            let end = stream::once(async {
                // What was sent until now goes out first.
                tokio::task::yield_now().await;
                Err(std::io::Error::other("the connection breaks"))
            });
            Body::from_stream(begin.chain(end))
        } else if self.is_chunked {
            let chunks = [Ok::<_, std::io::Error>(Bytes::from(self.body))];
            Body::from_stream(stream::iter(chunks))
        } else {
            Body::from(self.body)
        };
        response.body(body).unwrap()
    }
}
