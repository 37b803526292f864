//! HTTP: time limits, redirects, reading what comes.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use reqwest::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, RANGE};
use reqwest::{Method, Response};
use tokio::time::timeout;
use url::Url;

use super::connections::Connections;
use super::proxy::{self, Proxies};
use super::pulse::Pulse;
use super::request::Body;
use super::{Answer, Authorization, Cause, Meter, NetworkError};
use crate::image::Registry;

/// The longest silence. There is no limit on the whole: a large blob on a slow line takes its time.
pub(super) const STALL_TIMEOUT: Duration = Duration::from_mins(1);

/// The longest time that something small may take to arrive, however it trickles.
const SMALL_TIMEOUT: Duration = Duration::from_mins(2);

/// The longest time that an error's body may take to arrive; the status alone says enough.
const ERROR_BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The most redirects followed. One is usual, from a registry to its blob store.
const MAX_REDIRECTS: usize = 5;

/// As much of an error's body as is read, in bytes.
const MAX_ERROR_BODY: usize = 1024 * 1024;

/// Sends requests and reads answers.
///
/// Redirects are followed here and not by reqwest, so that it is plain to see that credentials go to
/// the first server only: S3 refuses a blob's download with a second `Authorization`.
pub(super) struct Transport {
    connections: Connections,
    proxies: Proxies,
    /// Hosts that the user wants to be spoken to in plain HTTP, in lower case.
    plain_hosts: BTreeSet<String>,
}

/// An HTTP request as it goes over the wire.
pub(super) struct Outgoing<'a> {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) accept: &'a [&'a str],
    /// How many bytes at the beginning are not wanted.
    pub(super) offset: u64,
    pub(super) body: Option<Body>,
    /// Whether the answer is a blob that is read as a stream.
    pub(super) is_stream: bool,
    /// Counts it.
    pub(super) meter: Option<&'a Meter>,
}

/// A body that cannot be sent twice.
pub(super) struct Upload<'a> {
    /// How many bytes it has.
    pub(super) size: u64,
    pub(super) body: reqwest::Body,
    /// Whether it moves.
    pub(super) pulse: Pulse,
    /// Counts it.
    pub(super) meter: &'a Meter,
}

impl Transport {
    /// A transport that trusts the system's root certificates (or those of `SSL_CERT_FILE`) and the
    /// ones given as PEM.
    pub(super) fn new(
        extra_root_certificates: &[u8],
        plain_hosts: BTreeSet<String>,
    ) -> Result<Self, Cause> {
        if let Some(variable) = proxy::unreadable(|name| std::env::var(name).ok()) {
            return Err(Cause::Proxy { variable });
        }
        Ok(Self {
            connections: Connections::new(extra_root_certificates)?,
            proxies: Proxies::of_the_system(),
            plain_hosts,
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
            self.stay_encrypted(&url, &target)?;
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
        upload: Upload<'_>,
    ) -> Result<Response, Cause> {
        let is_foreign = authorization.is_none();
        let request = self.connections.to(url, true).put(url.clone());
        let request = authorization
            .unwrap_or(Authorization::Anonymous)
            .apply(request)
            .header(CONTENT_TYPE, "application/octet-stream")
            .header(CONTENT_LENGTH, upload.size)
            .body(upload.body);
        let begun = Instant::now();
        upload.meter.request();
        let response = upload
            .pulse
            .guard(request.send())
            .await
            .map_err(|limit| stalled(url, limit))?
            .map_err(|error| self.failed(url, error))?;
        log(&Method::PUT, url, &response, begun);
        succeeded(response, is_foreign).await
    }

    /// Plain HTTP is followed only to this machine, and to hosts that the user wants to be spoken to
    /// in it.
    pub(super) fn stay_encrypted(&self, url: &Url, target: &Url) -> Result<(), Cause> {
        let is_sound = match target.scheme() {
            "https" => true,
            "http" => {
                let name = target.host_str().unwrap_or_default();
                is_loopback(target) || self.plain_hosts.contains(name)
            }
            _ => false,
        };
        if is_sound {
            return Ok(());
        }
        Err(Cause::Unencrypted {
            host: host(url),
            target: origin(target),
        })
    }

    /// Why there is no answer.
    fn failed(&self, url: &Url, error: reqwest::Error) -> Cause {
        match broken(url, error) {
            Cause::Broken { source, .. } if source.is_connect() => Cause::Unreachable {
                origin: origin(url),
                proxy: (!is_loopback(url))
                    .then(|| self.proxies.before(url))
                    .flatten(),
                source,
            },
            cause => cause,
        }
    }

    async fn hop(
        &self,
        outgoing: &Outgoing<'_>,
        url: &Url,
        authorization: &Authorization,
    ) -> Result<Response, Cause> {
        let client = self.connections.to(url, outgoing.is_stream);
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
        if let Some(meter) = outgoing.meter {
            meter.request();
        }
        let sent = timeout(STALL_TIMEOUT, authorization.apply(request).send()).await;
        let response = sent
            .map_err(|_| stalled(url, STALL_TIMEOUT))?
            .map_err(|error| self.failed(url, error))?;
        log(&outgoing.method, url, &response, begun);
        Ok(response)
    }
}

/// The response, where it tells of success.
async fn succeeded(response: Response, is_foreign: bool) -> Result<Response, Cause> {
    if response.status().is_success() {
        return Ok(response);
    }
    let host = host(response.url());
    let (status, headers) = (response.status(), response.headers().clone());
    let body = beginning(response).await;
    let answer = Answer::new(host, is_foreign, status, &headers, &body);
    Err(Cause::Answered(Box::new(answer)))
}

fn log(method: &Method, url: &Url, response: &Response, begun: Instant) {
    tracing::debug!(
        %method,
        url = format!("{}{}", origin(url), url.path()),
        status = response.status().as_u16(),
        elapsed = ?begun.elapsed(),
    );
}

/// Reads a body of at most this many bytes, which must have come within two minutes.
pub(super) async fn read(response: Response, limit: u64) -> Result<Bytes, Cause> {
    read_within(SMALL_TIMEOUT, response, limit).await
}

async fn read_within(time: Duration, mut response: Response, limit: u64) -> Result<Bytes, Cause> {
    let announced = header(&response, CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(Cause::TooLarge { limit });
    }
    let host = host(response.url());
    let whole = async {
        let mut body = BytesMut::new();
        while let Some(chunk) = chunk(&mut response).await? {
            if (body.len() + chunk.len()) as u64 > limit {
                return Err(Cause::TooLarge { limit });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    };
    let late = |_| Cause::Slow { host, limit: time };
    timeout(time, whole).await.map_err(late)?
}

/// As much of a body as comes soon, where any of it is better than none.
pub(super) async fn beginning(response: Response) -> Bytes {
    beginning_within(ERROR_BODY_TIMEOUT, response).await
}

async fn beginning_within(time: Duration, mut response: Response) -> Bytes {
    let mut body = BytesMut::new();
    let fill = async {
        while body.len() < MAX_ERROR_BODY
            && let Ok(Some(chunk)) = chunk(&mut response).await
        {
            body.extend_from_slice(&chunk);
        }
    };
    // What came before the time was over counts.
    let _ = timeout(time, fill).await;
    body.truncate(MAX_ERROR_BODY);
    body.freeze()
}

/// The next piece of a body; `None` when there is no more.
pub(super) async fn chunk(response: &mut Response) -> Result<Option<Bytes>, Cause> {
    match timeout(STALL_TIMEOUT, response.chunk()).await {
        Ok(Ok(chunk)) => Ok(chunk),
        Ok(Err(error)) => Err(broken(response.url(), error)),
        Err(_) => Err(stalled(response.url(), STALL_TIMEOUT)),
    }
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

/// Whether the URL is of a server on this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    host(url).parse().is_ok_and(|it: Registry| it.is_loopback())
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

fn broken(url: &Url, error: reqwest::Error) -> Cause {
    let source = NetworkError::new(error);
    if source.is_unsendable() {
        return Cause::Unsendable(source);
    }
    let host = host(url);
    Cause::Broken { host, source }
}

#[cfg(test)]
mod tests;
