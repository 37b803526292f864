//! What is known about one registry: how it wants to be convinced, and what convinced it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use reqwest::{Response, StatusCode};
use url::Url;

use super::challenge::Challenge;
use super::request::Request;
use super::token::{Scopes, Token, TokenService};
use super::tokens::Tokens;
use super::transport::{Authorization, Outgoing, Transport, Upload, host};
use super::{Answer, Cause, Credentials, Endpoint, Login};
use crate::image::Registry;

/// The names of Amazon ECR Public.
pub(super) const PUBLIC_ECR: [&str; 2] = ["public.ecr.aws", "ecr-public.aws.com"];

/// A process's dealings with one registry.
pub(super) struct Session {
    registry: Registry,
    endpoint: Endpoint,
    transport: Arc<Transport>,
    credentials: Arc<dyn Credentials>,
    scheme: Mutex<Scheme>,
    /// Held by the first request: it alone finds out how the registry authenticates, and whether
    /// it takes the login.
    door: tokio::sync::Mutex<()>,
    is_open: AtomicBool,
    tokens: Tokens,
    /// Why every further request would fail.
    closed: OnceLock<Arc<Cause>>,
    /// Whether the login does more harm than good.
    is_anonymous: AtomicBool,
}

#[derive(Clone)]
enum Scheme {
    /// No challenge was seen yet.
    Anonymous,
    Basic,
    Bearer(TokenService),
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
            scheme: Mutex::new(Scheme::Anonymous),
            door: tokio::sync::Mutex::default(),
            is_open: AtomicBool::new(false),
            tokens: Tokens::default(),
            closed: OnceLock::new(),
            is_anonymous: AtomicBool::new(false),
        }
    }

    /// Sends a request with what is known, and once more with new credentials where the registry
    /// wants others. A registry that refuses the login itself is not asked again.
    pub(super) async fn send(&self, request: &Request) -> Result<Response, Arc<Cause>> {
        let _door = self.wait_at_the_door().await;
        if let Some(cause) = self.closed.get() {
            return Err(Arc::clone(cause));
        }
        let sent = self.send_convincingly(request).await;
        if let Err(cause) = &sent
            && cause.is_final()
        {
            self.closed.get_or_init(|| Arc::clone(cause));
        }
        self.is_open.store(true, Ordering::Release);
        sent
    }

    async fn wait_at_the_door(&self) -> Option<tokio::sync::MutexGuard<'_, ()>> {
        let is_open = || self.is_open.load(Ordering::Acquire);
        if is_open() {
            return None;
        }
        let door = self.door.lock().await;
        (!is_open()).then_some(door)
    }

    async fn send_convincingly(&self, request: &Request) -> Result<Response, Arc<Cause>> {
        let mut sent = self.authorization(request, None, None).await?;
        let mut is_renewed = false;
        loop {
            let answer = match self.exchange(request, &sent).await {
                Err(Cause::Answered(answer)) => answer,
                other => return Ok(other?),
            };
            let scope = self.learn(&answer)?;
            let is_unauthorized = is_unauthorized(&answer);
            if let Authorization::Basic { username, .. } = &sent
                && is_unauthorized
                && is_renewed
            {
                let login = format!("the login of `{username}`");
                return Err(Arc::new(Cause::LoginRefused { login, answer }));
            }
            if !(is_unauthorized && !is_renewed || self.becomes_anonymous(&answer, &sent)) {
                return Err(Arc::new(Cause::Answered(answer)));
            }
            if let Authorization::Basic { username, password } = &sent {
                let (username, password) = (username.clone(), password.clone());
                let login = Login::Password { username, password };
                self.credentials.refused(&self.registry, &login).await;
            }
            sent = self
                .authorization(request, scope.as_deref(), Some(&sent))
                .await?;
            if matches!(sent, Authorization::Anonymous) {
                return Err(Arc::new(Cause::Answered(answer)));
            }
            is_renewed = true;
        }
    }

    async fn exchange(
        &self,
        request: &Request,
        authorization: &Authorization,
    ) -> Result<Response, Cause> {
        let outgoing = Outgoing {
            method: request.method.clone(),
            url: self.url(&request.path)?,
            accept: request.accept,
            offset: request.offset,
            body: request.body.clone(),
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
        upload: Upload,
    ) -> Result<Response, Arc<Cause>> {
        let authorization = if url.origin() == self.url("/")?.origin() {
            Some(self.authorization(request, None, None).await?)
        } else {
            None
        };
        Ok(self.transport.upload(url, authorization, upload).await?)
    }

    fn scheme(&self) -> Scheme {
        locked(&self.scheme).clone()
    }

    /// Learns from an answer how the registry authenticates; returns the scope that it names.
    fn learn(&self, answer: &Answer) -> Result<Option<String>, Cause> {
        if answer.foreign || answer.status != StatusCode::UNAUTHORIZED {
            return Ok(None);
        }
        let (scheme, scope) = match answer.challenges.first() {
            Some(Challenge::Bearer {
                realm,
                service,
                scope,
            }) => {
                let realm = self.sound_realm(realm)?;
                let service = service.clone();
                let service = TokenService { realm, service };
                (Scheme::Bearer(service), scope.clone())
            }
            Some(Challenge::Basic) => (Scheme::Basic, None),
            None => return Ok(None),
        };
        *locked(&self.scheme) = scheme;
        Ok(scope)
    }

    fn sound_realm(&self, realm: &str) -> Result<Url, Cause> {
        let registry = self.endpoint.registry.to_string();
        let realm = Url::parse(realm).map_err(|_| Cause::Malformed {
            host: registry.clone(),
            what: "names its token service by a malformed URL",
        })?;
        match realm.scheme() {
            "https" => Ok(realm),
            "http" if self.endpoint.plain_http => Ok(realm),
            _ => Err(Cause::Unencrypted {
                host: registry,
                target: format!("{}://{}", realm.scheme(), host(&realm)),
            }),
        }
    }

    /// ECR Public answers a stale token with 400 and no challenge, and grants such tokens for a
    /// stale login: containers-roadmap#2835. Without a login it serves everything.
    fn becomes_anonymous(&self, answer: &Answer, sent: &Authorization) -> bool {
        answer.status == StatusCode::BAD_REQUEST
            && matches!(sent, Authorization::Bearer(_))
            && self.is_public_ecr()
            && !self.is_anonymous.swap(true, Ordering::Relaxed)
    }

    fn is_public_ecr(&self) -> bool {
        PUBLIC_ECR.contains(&self.registry.as_str())
    }

    /// What to send along with a request. `scope` is what the registry wants beyond the request's
    /// own scopes, `refused` what it did not accept.
    async fn authorization(
        &self,
        request: &Request,
        scope: Option<&str>,
        refused: Option<&Authorization>,
    ) -> Result<Authorization, Arc<Cause>> {
        match self.scheme() {
            Scheme::Anonymous => Ok(Authorization::Anonymous),
            Scheme::Basic => Ok(match self.login().await? {
                Some(Login::Password { username, password }) => {
                    Authorization::Basic { username, password }
                }
                Some(Login::IdentityToken(_)) | None => Authorization::Anonymous,
            }),
            Scheme::Bearer(service) => {
                let scopes = match scope {
                    Some(scope) => &request.scopes.and(scope),
                    None => &request.scopes,
                };
                self.tokens
                    .get(&request.scopes, refused, self.grant(&service, scopes))
                    .await
            }
        }
    }

    async fn grant(&self, service: &TokenService, scopes: &Scopes) -> Result<Token, Cause> {
        let Some(login) = self.login().await? else {
            return service.grant(&self.transport, None, scopes).await;
        };
        let answer = match service.grant(&self.transport, Some(&login), scopes).await {
            Err(Cause::Answered(answer)) if is_login_refused(&answer) => answer,
            other => return other,
        };
        if self.is_public_ecr() {
            // A forgotten `docker login public.ecr.aws` must not break what needs no login.
            self.is_anonymous.store(true, Ordering::Relaxed);
            return service.grant(&self.transport, None, scopes).await;
        }
        if answer.status == StatusCode::FORBIDDEN && !self.refuses(service, &login).await {
            return Err(Cause::Answered(answer));
        }
        let login = match login {
            Login::Password { username, .. } => format!("the login of `{username}`"),
            Login::IdentityToken(_) => "the identity token".to_owned(),
        };
        Err(Cause::LoginRefused { login, answer })
    }

    /// Whether the service refuses the login and not only a repository: a token without scope is
    /// what `docker login` asks for.
    async fn refuses(&self, service: &TokenService, login: &Login) -> bool {
        let granted = service
            .grant(&self.transport, Some(login), &Scopes::default())
            .await;
        matches!(granted, Err(Cause::Answered(answer)) if is_login_refused(&answer))
    }

    async fn login(&self) -> Result<Option<Login>, Cause> {
        if self.is_anonymous.load(Ordering::Relaxed) {
            return Ok(None);
        }
        Ok(self.credentials.login(&self.registry).await?)
    }
}

/// Whether a registry wants other credentials, or newer ones.
pub(super) fn is_unauthorized(answer: &Answer) -> bool {
    let is_401 = !answer.foreign && answer.status == StatusCode::UNAUTHORIZED;
    is_401 || answer.is_expired_login()
}

/// Whether a token service refuses a login. OAuth2 has 400 `invalid_grant` for a bad refresh token.
fn is_login_refused(answer: &Answer) -> bool {
    answer.is_refusal() || answer.code.as_deref() == Some("invalid_grant")
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
