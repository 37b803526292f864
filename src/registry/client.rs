//! The client: one for a process, with its connections and what it knows of each registry.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName};
use tokio::time::Instant;

use super::counted::Counted;
use super::politeness::{Manners, Politeness};
use super::rate_limit::RateLimit;
use super::referrers_api::ReferrersApi;
use super::request::Request;
use super::retry::with_retries;
use super::session::Session;
use super::transfers::{Transfer, Transfers};
use super::transport::{Transport, host, read};
use super::{Cause, Credentials, Endpoint, Error, Meter};
use crate::failure::Kind;
use crate::image::{Digest, Registry};

/// Speaks to registries. A clone shares connections, tokens and what is known of each registry, so
/// a process needs one.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    pub(super) meter: Arc<Meter>,
}

/// What a [`Client`] needs to know.
pub struct Options {
    /// Who we are.
    pub credentials: Arc<dyn Credentials>,
    /// Where registries are that are not where [`Endpoint::of`] says.
    pub endpoints: BTreeMap<Registry, Endpoint>,
    /// Root certificates to trust beside the system's, as PEM; empty for none.
    pub extra_root_certificates: Vec<u8>,
    /// How hard each registry is leaned on.
    pub politeness: Politeness,
}

struct Inner {
    transport: Arc<Transport>,
    credentials: Arc<dyn Credentials>,
    endpoints: BTreeMap<Registry, Endpoint>,
    politeness: Politeness,
    transfers: Arc<Transfers>,
    hosts: Mutex<HashMap<Registry, Arc<Host>>>,
}

/// What is known of one registry.
pub(super) struct Host {
    pub(super) session: Session,
    pub(super) manners: Manners,
    pub(super) counted: Counted,
    pub(super) referrers_api: ReferrersApi,
}

/// What a registry sent.
pub(super) struct Reply {
    pub(super) host: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Client {
    /// A client; no connection is made yet. Fails when the certificates cannot be read, or when the
    /// environment names a proxy that is none.
    pub fn new(options: Options) -> Result<Self, Error> {
        let plain_hosts = options
            .endpoints
            .values()
            .filter(|endpoint| endpoint.plain_http)
            .map(|endpoint| endpoint.registry.host().to_ascii_lowercase())
            .collect();
        let transport =
            Transport::new(&options.extra_root_certificates, plain_hosts).map_err(Error::setup)?;
        let inner = Inner {
            transport: Arc::new(transport),
            credentials: options.credentials,
            endpoints: options.endpoints,
            transfers: Transfers::new(options.politeness.transfers),
            politeness: options.politeness,
            hosts: Mutex::default(),
        };
        Ok(Self {
            inner: Arc::new(inner),
            meter: Arc::default(),
        })
    }

    /// The same client, whose work this meter counts.
    pub fn metered(&self, meter: &Arc<Meter>) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            meter: Arc::clone(meter),
        }
    }

    /// Sends a request that may be repeated and reads the answer, of at most `limit` bytes.
    pub(super) async fn exchange(&self, request: &Request, limit: u64) -> Result<Reply, Error> {
        let registry = self.host(&request.registry);
        let attempt = async || {
            let _slot = registry.manners.turn(&request.method).await;
            let asked = Instant::now();
            let response = registry.session.send(request, &self.meter).await?;
            let host = host(response.url());
            let headers = response.headers().clone();
            registry.manners.learn(RateLimit::of(&headers), asked);
            let body = if request.method == Method::HEAD {
                Bytes::new()
            } else {
                read(response, limit).await?
            };
            Ok(Reply {
                host,
                headers,
                body,
            })
        };
        with_retries(&registry.manners, &request.method, attempt)
            .await
            .map_err(|cause| self.failed(request, cause))
    }

    /// Reads something small that can be told right from wrong. What is wrong is read once more:
    /// something on the way may have spoiled it.
    pub(super) async fn exchange_checked(
        &self,
        request: &Request,
        limit: u64,
        check: impl Fn(&Reply) -> Result<(), Cause>,
    ) -> Result<Reply, Error> {
        let reply = self.exchange(request, limit).await?;
        let Err(cause) = check(&reply) else {
            return Ok(reply);
        };
        tracing::debug!(%cause, "reading it once more");
        let reply = self.exchange(request, limit).await?;
        check(&reply).map_err(|cause| request.failed(cause))?;
        Ok(reply)
    }

    /// The error that this request failed, with what can be done about credentials where they may
    /// help.
    pub(super) fn failed(&self, request: &Request, cause: Arc<Cause>) -> Error {
        let remedy = match cause.kind() {
            Kind::Refused => Some(self.inner.credentials.remedy(&request.registry)),
            Kind::Exhausted => Some(self.limit_remedy(&request.registry)),
            _ => None,
        };
        request.failed(cause).with_remedy(remedy)
    }

    /// What the user can do so that the registry allows more pulls, as far as that is a matter of
    /// who asks: one lower-case phrase without a final period.
    pub fn limit_remedy(&self, registry: &Registry) -> String {
        if self.host(registry).session.has_login() {
            format!("use a login for `{registry}` that is allowed more")
        } else {
            format!("add a login for `{registry}` under `upstreams`")
        }
    }

    /// Waits for the right to move a blob of so many bytes: a slot at each of these registries, both
    /// ends of a copy together. Reading and writing blobs takes no slot by itself, so that whoever
    /// holds one end never waits for the other; all other requests see to themselves.
    pub async fn transfer(&self, ends: &[&Registry], size: u64) -> Transfer {
        let ends = ends.iter().map(|&end| end.clone()).collect();
        self.inner.transfers.slot(ends, size).await
    }

    /// What the registry last told of how much may still be read; `None` when it told nothing.
    pub fn rate_limit(&self, registry: &Registry) -> Option<RateLimit> {
        self.host(registry).manners.rate_limit()
    }

    /// This process's share of [`Self::rate_limit`].
    pub fn pulls(&self, registry: &Registry) -> Option<RateLimit> {
        let limit = self.rate_limit(registry)?;
        Some(limit.share(self.sharers()))
    }

    /// How many processes lean on the same registries at the same time.
    pub fn sharers(&self) -> NonZeroUsize {
        self.inner.politeness.sharers
    }

    /// How long the registry still wants to be left alone; zero where it did not ask for it.
    pub fn rest(&self, registry: &Registry) -> Duration {
        self.host(registry).manners.rest(Instant::now())
    }

    pub(super) fn host(&self, registry: &Registry) -> Arc<Host> {
        let inner = &*self.inner;
        let mut hosts = inner.hosts.lock();
        let host = hosts.entry(registry.clone()).or_insert_with(|| {
            let endpoint = inner.endpoints.get(registry).cloned();
            Arc::new(Host {
                session: Session::new(
                    registry.clone(),
                    endpoint.unwrap_or_else(|| Endpoint::of(registry)),
                    Arc::clone(&inner.transport),
                    Arc::clone(&inner.credentials),
                ),
                manners: Manners::new(
                    registry.clone(),
                    &inner.politeness,
                    Arc::clone(&inner.transfers),
                ),
                counted: Counted::default(),
                referrers_api: ReferrersApi::default(),
            })
        });
        Arc::clone(host)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Client").finish_non_exhaustive()
    }
}

impl Reply {
    /// A header's text.
    pub(super) fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether the bytes are those that the digest names.
    pub(super) fn verify(&self, digest: &Digest) -> Result<(), Cause> {
        let verified = digest.verify(&self.body);
        verified.map_err(|actual| self.mismatch(digest, actual))
    }

    /// What was sent is not what was asked for.
    pub(super) fn mismatch(&self, expected: impl fmt::Display, actual: impl fmt::Display) -> Cause {
        Cause::Mismatch {
            host: self.host.clone(),
            expected: expected.to_string(),
            actual: actual.to_string(),
        }
    }
}
