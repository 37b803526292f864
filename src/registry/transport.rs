//! HTTP: connections, time limits, redirects, reading what comes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use reqwest::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, RANGE};
use reqwest::{Certificate, Client, Method, RequestBuilder, Response, redirect};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;
use url::Url;

use super::pulse::Pulse;
use super::request::Body;
use super::{Answer, Cause};

/// The longest time that a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest silence. There is no limit on the whole: a large blob on a slow line takes its time.
pub(super) const STALL_TIMEOUT: Duration = Duration::from_mins(1);

/// The most redirects followed. One is usual, from a registry to its blob store.
const MAX_REDIRECTS: usize = 5;

/// As much of an error's body as is read, in bytes.
const MAX_ERROR_BODY: u64 = 64 * 1024;

const USER_AGENT: &str = concat!("longshore/", env!("CARGO_PKG_VERSION"));

/// The process's connections.
///
/// Redirects are followed here and not by reqwest, so that it is plain to see that credentials go to
/// the first server only: S3 refuses a blob's download with a second `Authorization`.
pub(super) struct Transport {
    proxied: Client,
    direct: Client,
}

/// What convinces a server. It goes to the first server only, never along with a redirect.
#[derive(Clone)]
pub(super) enum Authorization {
    Anonymous,
    Basic {
        username: String,
        password: SecretString,
    },
    Bearer(Arc<SecretString>),
}

/// An HTTP request as it goes over the wire.
pub(super) struct Outgoing<'a> {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) accept: &'a [&'a str],
    /// How many bytes at the beginning are not wanted.
    pub(super) offset: u64,
    pub(super) body: Option<Body>,
}

/// A body that cannot be sent twice.
pub(super) struct Upload {
    /// How many bytes it has.
    pub(super) size: u64,
    pub(super) body: reqwest::Body,
    /// Whether it moves.
    pub(super) pulse: Pulse,
}

impl Transport {
    /// Connections that trust the system's root certificates (or those of `SSL_CERT_FILE`) and the
    /// ones given as PEM.
    pub(super) fn new(extra_root_certificates: &[u8]) -> Result<Self, reqwest::Error> {
        let certificates = Certificate::from_pem_bundle(extra_root_certificates)?;
        let builder = || {
            Client::builder()
                .user_agent(USER_AGENT)
                .connect_timeout(CONNECT_TIMEOUT)
                .redirect(redirect::Policy::none())
                .referer(false)
                .tls_certs_merge(certificates.clone())
        };
        Ok(Self {
            proxied: builder().build()?,
            direct: builder().no_proxy().build()?,
        })
    }

    /// Sends a request and follows where GET and HEAD are sent on to. Every status but a success is
    /// an error.
    pub(super) async fn send(
        &self,
        outgoing: Outgoing<'_>,
        authorization: &Authorization,
    ) -> Result<Response, Cause> {
        let mut url = outgoing.url.clone();
        let mut response = self.hop(&outgoing, &url, authorization).await?;
        for _ in 0..MAX_REDIRECTS {
            let Some(target) = redirect_target(&outgoing.method, &url, &response) else {
                break;
            };
            stay_encrypted(&url, &target)?;
            let authorization = if target.origin() == outgoing.url.origin() {
                authorization
            } else {
                &Authorization::Anonymous
            };
            response = self.hop(&outgoing, &target, authorization).await?;
            url = target;
        }
        let is_foreign = url.origin() != outgoing.url.origin();
        succeeded(response, is_foreign).await
    }

    /// Sends a body that cannot be sent twice. There is no limit on how long that takes, only on
    /// silence. A server that is not the registry gets no authorization.
    pub(super) async fn upload(
        &self,
        url: &Url,
        authorization: Option<Authorization>,
        upload: Upload,
    ) -> Result<Response, Cause> {
        let is_foreign = authorization.is_none();
        let request = self.client(url).put(url.clone());
        let request = authorization
            .unwrap_or(Authorization::Anonymous)
            .apply(request)
            .header(CONTENT_TYPE, "application/octet-stream")
            .header(CONTENT_LENGTH, upload.size)
            .body(upload.body);
        let begun = Instant::now();
        let response = upload
            .pulse
            .guard(request.send())
            .await
            .map_err(|limit| stalled(url, limit))?
            .map_err(|error| failed(url, error))?;
        log(&Method::PUT, url, &response, begun);
        succeeded(response, is_foreign).await
    }

    /// As in Go's clients, what is on this machine is never asked of a proxy.
    fn client(&self, url: &Url) -> &Client {
        if is_loopback(url) {
            &self.direct
        } else {
            &self.proxied
        }
    }

    async fn hop(
        &self,
        outgoing: &Outgoing<'_>,
        url: &Url,
        authorization: &Authorization,
    ) -> Result<Response, Cause> {
        let client = self.client(url);
        let mut request = client.request(outgoing.method.clone(), url.clone());
        if outgoing.offset > 0 {
            request = request.header(RANGE, format!("bytes={}-", outgoing.offset));
        }
        if !outgoing.accept.is_empty() {
            request = request.header(ACCEPT, outgoing.accept.join(", "));
        }
        if let Some(body) = &outgoing.body {
            request = request
                .header(CONTENT_TYPE, &body.media_type)
                .body(body.bytes.clone());
        } else if outgoing.method == Method::POST {
            // Some proxies answer 411 to a POST that says nothing of its length.
            request = request.header(CONTENT_LENGTH, 0);
        }
        let begun = Instant::now();
        let sent = timeout(STALL_TIMEOUT, authorization.apply(request).send()).await;
        let response = sent
            .map_err(|_| stalled(url, STALL_TIMEOUT))?
            .map_err(|error| failed(url, error))?;
        log(&outgoing.method, url, &response, begun);
        Ok(response)
    }
}

impl Authorization {
    fn apply(&self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Self::Anonymous => request,
            Self::Basic { username, password } => {
                request.basic_auth(username, Some(password.expose_secret()))
            }
            Self::Bearer(token) => request.bearer_auth(token.expose_secret()),
        }
    }
}

/// The response, where it tells of success.
async fn succeeded(response: Response, is_foreign: bool) -> Result<Response, Cause> {
    if response.status().is_success() {
        return Ok(response);
    }
    let host = host(response.url());
    let (status, headers) = (response.status(), response.headers().clone());
    let body = read(response, MAX_ERROR_BODY).await.unwrap_or_default();
    let answer = Answer::new(host, is_foreign, status, &headers, &body);
    Err(Cause::Answered(Box::new(answer)))
}

/// What is encrypted must not be followed to where nothing is, but on this machine.
pub(super) fn stay_encrypted(url: &Url, target: &Url) -> Result<(), Cause> {
    let is_downgrade = url.scheme() == "https" && target.scheme() != "https";
    if is_downgrade && !is_loopback(target) {
        return Err(Cause::Unencrypted {
            host: host(url),
            target: origin(target),
        });
    }
    Ok(())
}

fn log(method: &Method, url: &Url, response: &Response, begun: Instant) {
    tracing::debug!(
        %method,
        url = format!("{}{}", origin(url), url.path()),
        status = response.status().as_u16(),
        elapsed = ?begun.elapsed(),
    );
}

/// The next piece of a body; `None` when there is no more.
pub(super) async fn chunk(response: &mut Response) -> Result<Option<Bytes>, Cause> {
    match timeout(STALL_TIMEOUT, response.chunk()).await {
        Ok(Ok(chunk)) => Ok(chunk),
        Ok(Err(error)) => Err(failed(response.url(), error)),
        Err(_) => Err(stalled(response.url(), STALL_TIMEOUT)),
    }
}

/// Reads a body of at most this many bytes.
pub(super) async fn read(mut response: Response, limit: u64) -> Result<Bytes, Cause> {
    let announced = header(&response, CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(Cause::TooLarge { limit });
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = chunk(&mut response).await? {
        if (body.len() + chunk.len()) as u64 > limit {
            return Err(Cause::TooLarge { limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// A header's text.
pub(super) fn header(response: &Response, name: reqwest::header::HeaderName) -> Option<&str> {
    response.headers().get(name)?.to_str().ok()
}

/// The URL's host with its port, as messages name it.
pub(super) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

fn origin(url: &Url) -> String {
    format!("{}://{}", url.scheme(), host(url))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn redirect_target(method: &Method, url: &Url, response: &Response) -> Option<Url> {
    let may_follow = method == Method::GET || method == Method::HEAD;
    if !may_follow || !response.status().is_redirection() {
        return None;
    }
    url.join(header(response, LOCATION)?).ok()
}

fn stalled(url: &Url, limit: Duration) -> Cause {
    let host = host(url);
    Cause::Stalled { host, limit }
}

/// The error without its URL, whose query may hold a signature.
fn failed(url: &Url, error: reqwest::Error) -> Cause {
    let source = error.without_url();
    if source.is_connect() {
        let origin = origin(url);
        Cause::Unreachable { origin, source }
    } else {
        let host = host(url);
        Cause::Broken { host, source }
    }
}
