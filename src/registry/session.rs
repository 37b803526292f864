//! What is known about one registry: how it wants to be convinced, and what convinced it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use reqwest::{Method, Response, StatusCode};
use tokio::sync::OnceCell;
use url::Url;

use super::request::Request;
use super::scheme::Scheme;
use super::tokens::Tokens;
use super::transport::{Outgoing, Transport, Upload, beginning};
use super::trial::Trial;
use super::{Answer, Authorization, Cause, Credentials, Endpoint, Login, Meter};
use crate::image::Registry;

mod grant;

/// The path at which every registry says how it wants to be convinced.
const PING: &str = "/v2/";

/// A process's dealings with one registry.
pub(super) struct Session {
    registry: Registry,
    endpoint: Endpoint,
    transport: Arc<Transport>,
    credentials: Arc<dyn Credentials>,
    /// What the registry as a whole asks for.
    scheme: OnceCell<Scheme>,
    /// What a repository asked for, where the registry as a whole asks for nothing.
    late_scheme: OnceLock<Scheme>,
    tokens: Tokens,
    trial: Trial,
    /// Why every further request would fail.
    closed: OnceLock<Arc<Cause>>,
    /// Whether the login does more harm than good.
    is_anonymous: AtomicBool,
    /// Whether there was a login when one was last needed.
    has_login: AtomicBool,
}

impl Session {
    pub(super) fn new(
        registry: Registry,
        endpoint: Endpoint,
        transport: Arc<Transport>,
        credentials: Arc<dyn Credentials>,
    ) -> Self {
        Self {
            registry,
            endpoint,
            transport,
            credentials,
            scheme: OnceCell::new(),
            late_scheme: OnceLock::new(),
            tokens: Tokens::default(),
            trial: Trial::default(),
            closed: OnceLock::new(),
            is_anonymous: AtomicBool::new(false),
            has_login: AtomicBool::new(false),
        }
    }

    /// Sends a request with what is known, and once more with new credentials where the registry
    /// wants others. A registry that refuses the login itself is not asked again; one that took it
    /// before may still refuse a repository.
    pub(super) async fn send(
        &self,
        request: &Request,
        meter: &Meter,
    ) -> Result<Response, Arc<Cause>> {
        let _turn = match self.scheme().await? {
            Scheme::Open => None,
            Scheme::Basic | Scheme::Bearer(_) => self.trial.turn().await,
        };
        if let Some(cause) = self.closed.get() {
            return Err(Arc::clone(cause));
        }
        let sent = self.send_convincingly(request, meter).await;
        if let Err(cause) = &sent
            && cause.is_final()
        {
            self.closed.get_or_init(|| Arc::clone(cause));
        }
        sent
    }

    async fn send_convincingly(
        &self,
        request: &Request,
        meter: &Meter,
    ) -> Result<Response, Arc<Cause>> {
        let mut sent = self.authorization(request, None, None).await?;
        let mut is_renewed = false;
        loop {
            let outcome = self.exchange(request, &sent, meter).await;
            if matches!(sent, Authorization::Basic { .. }) && is_taken(&outcome) {
                self.trial.end();
            }
            let answer = match outcome {
                Err(Cause::Answered(answer)) => answer,
                other => return Ok(other?),
            };
            let scope = self.learn(&answer)?;
            let is_stale = self.is_stale_at_public_ecr(&answer, &sent);
            if is_stale {
                self.is_anonymous.store(true, Ordering::Relaxed);
            }
            if is_renewed || !(is_stale || is_unauthorized(&answer)) {
                return Err(self.refusal(&sent, answer));
            }
            match self.renew(request, scope.as_deref(), &sent).await? {
                Some(renewed) => sent = renewed,
                None => return Err(self.refusal(&sent, answer)),
            }
            is_renewed = true;
        }
    }

    async fn exchange(
        &self,
        request: &Request,
        authorization: &Authorization,
        meter: &Meter,
    ) -> Result<Response, Cause> {
        let outgoing = Outgoing {
            method: request.method.clone(),
            url: self.url(&request.path)?,
            accept: request.accept,
            offset: request.offset,
            body: request.body.clone(),
            is_stream: request.is_stream,
            meter: Some(meter),
        };
        self.transport.send(outgoing, authorization).await
    }

    /// Where a path of this registry really is.
    pub(super) fn url(&self, path: &str) -> Result<Url, Cause> {
        Url::parse(&format!("{}{path}", self.endpoint)).map_err(|_| Cause::Malformed {
            host: self.endpoint.registry.to_string(),
            what: "has no sound URL",
        })
    }

    /// Sends what cannot be sent twice to the place that an answer to this request named, with
    /// credentials where that is this registry, and asks for no other ones.
    pub(super) async fn upload(
        &self,
        request: &Request,
        url: &Url,
        upload: Upload<'_>,
    ) -> Result<Response, Arc<Cause>> {
        let authorization = if url.origin() == self.url("/")?.origin() {
            Some(self.authorization(request, None, None).await?)
        } else {
            None
        };
        Ok(self.transport.upload(url, authorization, upload).await?)
    }

    /// Whether what an answer leads to may be followed without encryption.
    pub(super) fn stay_encrypted(&self, url: &Url, target: &Url) -> Result<(), Cause> {
        self.transport.stay_encrypted(url, target)
    }

    async fn scheme(&self) -> Result<&Scheme, Cause> {
        let scheme = self.scheme.get_or_try_init(|| self.ping()).await?;
        Ok(self.late_scheme.get().unwrap_or(scheme))
    }

    /// Asks the registry as a whole. Some hide a private repository with 403 or 404 from whoever
    /// they do not know, so that waiting for a challenge there would never show them the login.
    async fn ping(&self) -> Result<Scheme, Cause> {
        let outgoing = Outgoing {
            method: Method::GET,
            url: self.url(PING)?,
            accept: &[],
            offset: 0,
            body: None,
            is_stream: false,
            meter: None,
        };
        let pinged = self.transport.send(outgoing, &Authorization::Anonymous);
        match pinged.await {
            Ok(response) => {
                // A connection can be used again when its answer was read.
                beginning(response).await;
                Ok(Scheme::Open)
            }
            Err(Cause::Answered(answer)) if !answer.is_transient() => {
                let challenge = self.challenge(&answer)?;
                Ok(challenge.map_or(Scheme::Open, |(scheme, _)| scheme))
            }
            Err(cause) => Err(cause),
        }
    }

    /// Learns from a repository's answer how it wants to be convinced; returns the scope that it
    /// names.
    fn learn(&self, answer: &Answer) -> Result<Option<String>, Cause> {
        let Some((scheme, scope)) = self.challenge(answer)? else {
            return Ok(None);
        };
        if matches!(self.scheme.get(), Some(Scheme::Open)) {
            self.late_scheme.get_or_init(|| scheme);
        }
        Ok(scope)
    }

    fn challenge(&self, answer: &Answer) -> Result<Option<(Scheme, Option<String>)>, Cause> {
        Scheme::asked_by(answer, &self.url(PING)?, &self.transport)
    }

    /// ECR Public answers a stale token with 400 and no challenge, and grants such tokens for a
    /// stale login: containers-roadmap#2835. Without a login it serves everything.
    fn is_stale_at_public_ecr(&self, answer: &Answer, sent: &Authorization) -> bool {
        answer.status == StatusCode::BAD_REQUEST
            && matches!(sent, Authorization::Bearer(_))
            && self.registry.is_public_ecr()
    }

    /// Why the registry did not take what was sent: the login as such, or something else.
    fn refusal(&self, sent: &Authorization, answer: Box<Answer>) -> Arc<Cause> {
        Arc::new(match sent {
            Authorization::Basic { username, .. }
                if is_unauthorized(&answer) && !self.trial.is_over() =>
            {
                let login = format!("the login of `{username}`");
                Cause::LoginRefused { login, answer }
            }
            _ => Cause::Answered(answer),
        })
    }

    /// Other credentials than those refused; `None` where there are none.
    async fn renew(
        &self,
        request: &Request,
        scope: Option<&str>,
        refused: &Authorization,
    ) -> Result<Option<Authorization>, Arc<Cause>> {
        if let Authorization::Basic { username, password } = refused {
            let (username, password) = (username.clone(), password.clone());
            let login = Login::Password { username, password };
            self.credentials.refused(&self.registry, &login).await;
        }
        let renewed = self.authorization(request, scope, Some(refused)).await?;
        Ok((!renewed.is_no_better_than(refused)).then_some(renewed))
    }

    /// What to send along with a request. `scope` is what the registry wants beyond the request's
    /// own scopes, `refused` what it did not accept.
    async fn authorization(
        &self,
        request: &Request,
        scope: Option<&str>,
        refused: Option<&Authorization>,
    ) -> Result<Authorization, Arc<Cause>> {
        match self.scheme().await? {
            Scheme::Open => Ok(Authorization::Anonymous),
            Scheme::Basic => Ok(match self.login().await? {
                Some(Login::Password { username, password }) => {
                    Authorization::Basic { username, password }
                }
                Some(Login::IdentityToken(_)) | None => {
                    self.trial.end();
                    Authorization::Anonymous
                }
            }),
            Scheme::Bearer(service) => {
                let scopes = match scope {
                    Some(scope) => &request.scopes.and(scope),
                    None => &request.scopes,
                };
                self.tokens
                    .get(&request.scopes, refused, self.grant(service, scopes))
                    .await
            }
        }
    }

    async fn login(&self) -> Result<Option<Login>, Cause> {
        let login = if self.is_anonymous.load(Ordering::Relaxed) {
            None
        } else {
            self.credentials.login(&self.registry).await?
        };
        self.has_login.store(login.is_some(), Ordering::Relaxed);
        if login.is_none() {
            self.trial.end();
        }
        Ok(login)
    }

    /// Whether the registry was last asked with a login.
    pub(super) fn has_login(&self) -> bool {
        self.has_login.load(Ordering::Relaxed)
    }
}

/// Whether a registry wants other credentials, or newer ones.
pub(super) fn is_unauthorized(answer: &Answer) -> bool {
    let is_401 = !answer.foreign && answer.status == StatusCode::UNAUTHORIZED;
    is_401 || answer.is_expired_login()
}

/// Whether a registry that asks for a login took this one, whatever it thinks of the request.
fn is_taken(outcome: &Result<Response, Cause>) -> bool {
    match outcome {
        Ok(_) => true,
        Err(Cause::Answered(answer)) => {
            answer.foreign || !(answer.is_refusal() || answer.is_transient())
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests;
