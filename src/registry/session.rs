//! What is known about one registry: how it wants to be convinced, and what convinced it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use reqwest::{Response, StatusCode};
use url::Url;

use super::challenge::Challenge;
use super::request::Request;
use super::token::{Scopes, Token, TokenService};
use super::transport::{Authorization, Outgoing, Transport, host};
use super::{Answer, Cause, Credentials, Endpoint, Login};
use crate::failure::Kind;
use crate::image::Registry;

/// The names of Amazon ECR Public.
const PUBLIC_ECR: [&str; 2] = ["public.ecr.aws", "ecr-public.aws.com"];

/// A process's dealings with one registry.
pub(super) struct Session {
    registry: Registry,
    endpoint: Endpoint,
    transport: Arc<Transport>,
    credentials: Arc<dyn Credentials>,
    scheme: Mutex<Scheme>,
    /// Held by the first request, so that one answer teaches all how the registry authenticates.
    door: tokio::sync::Mutex<()>,
    tokens: Mutex<HashMap<Scopes, Arc<tokio::sync::Mutex<Slot>>>>,
    /// Why every further request would fail.
    closed: OnceLock<Arc<Cause>>,
    /// Whether the login does more harm than good.
    is_anonymous: AtomicBool,
}

#[derive(Clone)]
enum Scheme {
    Unknown,
    Open,
    Basic,
    Bearer(TokenService),
}

/// A token for one set of scopes. Its lock is held while the token is fetched, so that requests
/// that wait for it share one fetch and its outcome.
#[derive(Default)]
enum Slot {
    #[default]
    Empty,
    Granted(Token),
    Failed {
        at: Instant,
        cause: Arc<Cause>,
    },
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
            scheme: Mutex::new(Scheme::Unknown),
            door: tokio::sync::Mutex::default(),
            tokens: Mutex::default(),
            closed: OnceLock::new(),
            is_anonymous: AtomicBool::new(false),
        }
    }

    /// Sends a request with what is known, and once more with new credentials where the registry
    /// wants others. A registry that refuses the login itself is not asked again.
    pub(super) async fn send(&self, request: &Request) -> Result<Response, Arc<Cause>> {
        if let Some(cause) = self.closed.get() {
            return Err(Arc::clone(cause));
        }
        let sent = self.send_convincingly(request).await;
        sent.inspect_err(|cause| {
            if cause.is_final() {
                self.closed.get_or_init(|| Arc::clone(cause));
            }
        })
    }

    async fn send_convincingly(&self, request: &Request) -> Result<Response, Arc<Cause>> {
        let mut door = self.wait_at_the_door().await;
        let mut sent = self.authorization(request, None, None).await?;
        let mut is_renewed = false;
        loop {
            let answer = match self.exchange(request, &sent).await {
                Err(Cause::Answered(answer)) => answer,
                other => {
                    // Also after a failure nobody waits at the door for another.
                    self.learn(None)?;
                    return Ok(other?);
                }
            };
            let scope = self.learn(Some(&answer))?;
            drop(door.take());
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
        let url = format!("{}{}", self.endpoint, request.path);
        let url = Url::parse(&url).map_err(|_| Cause::Malformed {
            host: self.endpoint.registry.to_string(),
            what: "has no sound URL",
        })?;
        let outgoing = Outgoing {
            method: request.method.clone(),
            url,
            accept: request.accept,
            body: request.body.clone(),
        };
        self.transport.send(outgoing, authorization).await
    }

    fn scheme(&self) -> Scheme {
        locked(&self.scheme).clone()
    }

    async fn wait_at_the_door(&self) -> Option<tokio::sync::MutexGuard<'_, ()>> {
        if !matches!(self.scheme(), Scheme::Unknown) {
            return None;
        }
        let door = self.door.lock().await;
        matches!(self.scheme(), Scheme::Unknown).then_some(door)
    }

    /// Learns from an answer how the registry authenticates; returns the scope that it names.
    fn learn(&self, answer: Option<&Answer>) -> Result<Option<String>, Cause> {
        let challenge = answer
            .filter(|answer| !answer.foreign && answer.status == StatusCode::UNAUTHORIZED)
            .and_then(|answer| answer.challenges.first());
        let (scheme, scope) = match challenge {
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
            None => (Scheme::Open, None),
        };
        let mut known = locked(&self.scheme);
        if challenge.is_some() || matches!(*known, Scheme::Unknown) {
            *known = scheme;
        }
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
            Scheme::Unknown | Scheme::Open => Ok(Authorization::Anonymous),
            Scheme::Basic => Ok(match self.login().await? {
                Some(Login::Password { username, password }) => {
                    Authorization::Basic { username, password }
                }
                Some(Login::IdentityToken(_)) | None => Authorization::Anonymous,
            }),
            Scheme::Bearer(service) => self.bearer(&service, &request.scopes, scope, refused).await,
        }
    }

    async fn bearer(
        &self,
        service: &TokenService,
        scopes: &Scopes,
        scope: Option<&str>,
        refused: Option<&Authorization>,
    ) -> Result<Authorization, Arc<Cause>> {
        let begun = Instant::now();
        let slot = Arc::clone(locked(&self.tokens).entry(scopes.clone()).or_default());
        let mut slot = slot.lock().await;
        match &*slot {
            Slot::Granted(token) if token.is_fresh() && !token.is(refused) => {
                return Ok(Authorization::Bearer(Arc::clone(&token.secret)));
            }
            Slot::Failed { at, cause } if *at > begun || cause.kind() == Kind::Refused => {
                return Err(Arc::clone(cause));
            }
            _ => {}
        }
        let scopes = scope.map_or_else(|| scopes.clone(), |scope| scopes.and(scope));
        match self.grant(service, &scopes).await {
            Ok(token) => {
                let secret = Arc::clone(&token.secret);
                *slot = Slot::Granted(token);
                Ok(Authorization::Bearer(secret))
            }
            Err(cause) => {
                let at = Instant::now();
                let cause = Arc::new(cause);
                *slot = Slot::Failed {
                    at,
                    cause: Arc::clone(&cause),
                };
                Err(cause)
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
fn is_unauthorized(answer: &Answer) -> bool {
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
mod tests {
    use super::super::fake::{Fake, Reply, Seen, login};
    use super::super::{Client, Error};
    use super::*;
    use crate::failure::Failure;
    use crate::image::Reference;

    /// A registry and its token service: every token is `t` and how many were granted before, in
    /// its request's form; only those in `accepted` open a repository.
    async fn bearer(expires_in: u64, accepted: &'static [&'static str]) -> Fake {
        Fake::start(move |request, earlier| {
            if request.line.contains("/token") {
                return Reply::status(200).body(&format!(
                    r#"{{"token":"t{earlier}","expires_in":{expires_in}}}"#
                ));
            }
            let sent = request.authorization().strip_prefix("Bearer ");
            if sent.is_some_and(|token| accepted.contains(&token)) {
                Reply::manifest()
            } else {
                challenge(request)
            }
        })
        .await
    }

    fn challenge(request: &Seen) -> Reply {
        let realm = format!("http://{}/token", request.headers["host"].to_str().unwrap());
        let value = format!(
            r#"Bearer realm="{realm}",service="reg",scope="repository:app:pull",error="x", Basic realm="x""#
        );
        Reply::status(401).header("www-authenticate", &value)
    }

    fn basic(accepted: &'static str) -> impl Fn(&Seen, usize) -> Reply {
        move |request, _| match request.authorization() {
            sent if sent == accepted => Reply::manifest(),
            _ => Reply::status(401)
                .header(
                    "www-authenticate",
                    r#"Basic realm="https://x/",service="ecr.amazonaws.com""#,
                )
                .body("Not Authorized"),
        }
    }

    async fn head(client: &Client, image: &Reference) -> Result<(), Error> {
        let head = client.head_manifest(image).await?;
        assert_eq!(head.unwrap().digest, Reply::manifest_digest());
        Ok(())
    }

    const TOKEN: &str = "GET /token?service=reg&scope=repository%3Aapp%3Apull";

    #[tokio::test]
    async fn a_token_is_fetched_once_and_used_again() {
        let fake = bearer(300, &["t0"]).await;
        let client = fake.client();
        head(&client, &fake.image("app:1")).await.unwrap();
        head(&client.clone(), &fake.image("app:2")).await.unwrap();
        head(&client, &fake.image("other:1")).await.unwrap();
        assert_eq!(
            fake.log(),
            [
                "HEAD /v2/app/manifests/1",
                TOKEN,
                "HEAD /v2/app/manifests/1 Bearer t0",
                "HEAD /v2/app/manifests/2 Bearer t0",
                "GET /token?service=reg&scope=repository%3Aother%3Apull",
                "HEAD /v2/other/manifests/1 Bearer t0",
            ]
        );
    }

    #[tokio::test]
    async fn requests_share_one_challenge_and_one_fetch() {
        let fake = bearer(300, &["t0"]).await;
        let client = fake.client();
        let image = fake.image("app:1");
        let heads = (0..8).map(|_| head(&client, &image));
        futures_util::future::try_join_all(heads).await.unwrap();
        let log = fake.log();
        assert_eq!(log[..2], ["HEAD /v2/app/manifests/1", TOKEN]);
        assert_eq!(log[2..], ["HEAD /v2/app/manifests/1 Bearer t0"; 8]);
    }

    #[tokio::test]
    async fn a_token_near_its_end_is_replaced() {
        let fake = bearer(20, &["t0", "t1"]).await;
        let (client, image) = (fake.client(), fake.image("app:1"));
        head(&client, &image).await.unwrap();
        head(&client, &image).await.unwrap();
        assert_eq!(
            fake.log(),
            [
                "HEAD /v2/app/manifests/1",
                TOKEN,
                "HEAD /v2/app/manifests/1 Bearer t0",
                TOKEN,
                "HEAD /v2/app/manifests/1 Bearer t1",
            ]
        );
    }

    #[tokio::test]
    async fn a_token_that_is_refused_is_replaced_once() {
        let fake = bearer(300, &[]).await;
        let (client, image) = (fake.client(), fake.image("app:1"));
        for _ in 0..2 {
            let error = head(&client, &image).await.unwrap_err();
            assert_eq!(error.kind(), Kind::Refused);
        }
        assert_eq!(
            fake.log(),
            [
                "HEAD /v2/app/manifests/1",
                TOKEN,
                "HEAD /v2/app/manifests/1 Bearer t0",
                "HEAD /v2/app/manifests/1 Bearer t0",
                TOKEN,
                "HEAD /v2/app/manifests/1 Bearer t1",
            ]
        );
    }

    #[tokio::test]
    async fn a_write_asks_for_more() {
        let fake = bearer(300, &["t0"]).await;
        let client = fake.client_as("acme", "pass");
        let put = client
            .put_manifest(&fake.image("app:1"), &Reply::manifest_value())
            .await;
        put.unwrap();
        assert_eq!(
            fake.log(),
            [
                "PUT /v2/app/manifests/1",
                "GET /token?service=reg&scope=repository%3Aapp%3Apull\
                 &scope=repository%3Aapp%3Apull%2Cpush Basic YWNtZTpwYXNz",
                "PUT /v2/app/manifests/1 Bearer t0",
            ]
        );
    }

    #[tokio::test]
    async fn an_identity_token_is_exchanged() {
        let fake = bearer(300, &["t0"]).await;
        let login = Login::IdentityToken("refresh me".into());
        let registry = fake.registry();
        let client = fake.client_with(registry.as_str(), vec![Some(login)]);
        head(&client, &fake.image("app:1")).await.unwrap();
        let log = [
            "HEAD /v2/app/manifests/1",
            "POST /token",
            "HEAD /v2/app/manifests/1 Bearer t0",
        ];
        assert_eq!(fake.log(), log);
        assert_eq!(
            fake.requests()[1].body,
            "grant_type=refresh_token&service=reg&client_id=longshore\
             &scope=repository%3Aapp%3Apull&refresh_token=refresh+me"
        );
    }

    #[tokio::test]
    async fn basic_is_sent_unasked_from_then_on() {
        let fake = Fake::start(basic("Basic QVdTOnB3")).await;
        let client = fake.client_as("AWS", "pw");
        head(&client, &fake.image("app:1")).await.unwrap();
        head(&client, &fake.image("other:1")).await.unwrap();
        assert_eq!(
            fake.log(),
            [
                "HEAD /v2/app/manifests/1",
                "HEAD /v2/app/manifests/1 Basic QVdTOnB3",
                "HEAD /v2/other/manifests/1 Basic QVdTOnB3",
            ]
        );
    }

    #[tokio::test]
    async fn an_expired_ecr_token_is_replaced() {
        let fake = Fake::start(|request, earlier| match request.authorization() {
            "Basic QVdTOm9sZA==" if earlier > 1 => {
                Reply::status(403).body(
                    r#"{"errors":[{"code":"DENIED","message":"Your authorization token has expired. Reauthenticate and try again."}]}"#,
                )
            }
            "" => Reply::status(401).header("www-authenticate", "Basic realm=\"x\""),
            _ => Reply::manifest(),
        })
        .await;
        let old = Some(login("AWS", "old"));
        let logins = vec![old.clone(), old, Some(login("AWS", "new"))];
        let client = fake.client_with(fake.registry().as_str(), logins);
        let image = fake.image("app:1");
        for _ in 0..2 {
            client.get_manifest(&image).await.unwrap();
        }
        let manifest = "GET /v2/app/manifests/1";
        assert_eq!(
            fake.log(),
            [
                manifest.to_owned(),
                format!("{manifest} Basic QVdTOm9sZA=="),
                format!("{manifest} Basic QVdTOm9sZA=="),
                format!("{manifest} Basic QVdTOm5ldw=="),
            ]
        );
    }

    #[tokio::test]
    async fn a_refused_login_is_not_sent_again() {
        let fake = Fake::start(basic("Basic QVdTOnB3")).await;
        let client = fake.client_as("AWS", "wrong");
        let text = |error: &Error| format!("{error}: {}", error.cause());
        let first = head(&client, &fake.image("app:1")).await.unwrap_err();
        let second = head(&client, &fake.image("other:1")).await.unwrap_err();
        let host = fake.registry();
        assert_eq!(
            text(&second),
            format!(
                "cannot look up manifest `{host}/other:1`: the login of `AWS` is refused: \
                 `{host}` answered 401 Unauthorized"
            )
        );
        assert_eq!(
            (first.kind(), second.kind()),
            (Kind::Refused, Kind::Refused)
        );
        assert_eq!(
            fake.log(),
            [
                "HEAD /v2/app/manifests/1",
                "HEAD /v2/app/manifests/1 Basic QVdTOndyb25n",
            ]
        );
    }

    #[tokio::test]
    async fn a_token_service_that_denies_one_repository_serves_the_others() {
        let fake = Fake::start(|request, _| {
            if request.line.contains("secret%3Apull") {
                Reply::status(403).body(r#"{"errors":[{"code":"DENIED"}]}"#)
            } else if request.line.contains("/token") {
                Reply::status(200).body(r#"{"access_token":"t"}"#)
            } else if request.authorization().is_empty() {
                challenge(request)
            } else {
                Reply::manifest()
            }
        })
        .await;
        let client = fake.client_as("acme", "pass");
        head(&client, &fake.image("app:1")).await.unwrap();
        for tag in ["1", "2"] {
            let secret = fake.image(&format!("secret:{tag}"));
            assert_eq!(
                head(&client, &secret).await.unwrap_err().kind(),
                Kind::Refused
            );
        }
        head(&client, &fake.image("app:2")).await.unwrap();
        assert_eq!(
            fake.log()[3..],
            [
                "GET /token?service=reg&scope=repository%3Asecret%3Apull Basic YWNtZTpwYXNz",
                "GET /token?service=reg Basic YWNtZTpwYXNz",
                "HEAD /v2/app/manifests/2 Bearer t",
            ]
        );
    }

    #[tokio::test]
    async fn a_token_service_that_refuses_the_login_is_left_alone() {
        let fake = Fake::start(|request, _| {
            if request.line.contains("/token") {
                Reply::status(401).body(r#"{"details":"incorrect username or password"}"#)
            } else {
                challenge(request)
            }
        })
        .await;
        let client = fake.client_as("acme", "wrong");
        for image in ["app:1", "other:1"] {
            let error = head(&client, &fake.image(image)).await.unwrap_err();
            assert_eq!(
                error.cause().to_string(),
                format!(
                    "the login of `acme` is refused: `{}` answered 401 Unauthorized: \
                     incorrect username or password",
                    fake.registry()
                )
            );
        }
        assert_eq!(fake.log().len(), 2);
    }

    #[tokio::test]
    async fn ecr_public_is_asked_anonymously_when_a_token_is_stale() {
        let fake = Fake::start(|request, _| match request.authorization() {
            "Basic YWNtZTpwYXNz" => Reply::status(200).body(r#"{"token":"stale"}"#),
            "" if request.line.contains("/token") => Reply::status(200).body(r#"{"token":"t"}"#),
            "Bearer stale" => Reply::status(400),
            "Bearer t" => Reply::manifest(),
            _ => challenge(request),
        })
        .await;
        let client = fake.client_with("public.ecr.aws", vec![Some(login("acme", "pass"))]);
        let image = "public.ecr.aws/app:1".parse().unwrap();
        for _ in 0..2 {
            head(&client, &image).await.unwrap();
        }
        let manifest = "HEAD /v2/app/manifests/1";
        assert_eq!(
            fake.log(),
            [
                manifest.to_owned(),
                format!("{TOKEN} Basic YWNtZTpwYXNz"),
                format!("{manifest} Bearer stale"),
                TOKEN.to_owned(),
                format!("{manifest} Bearer t"),
                format!("{manifest} Bearer t"),
            ]
        );
    }

    #[tokio::test]
    async fn docker_hub_hides_what_is_missing() {
        let fake = bearer(300, &[]).await;
        let client = fake.client_for("docker.io");
        let image = "nosuch/image:1".parse().unwrap();
        let error = client.get_manifest(&image).await.unwrap_err();
        assert_eq!(
            error.hint().unwrap(),
            "Docker Hub says this also of repositories that do not exist or are private: check the \
             name; credentials for `docker.io` are looked up in the AWS session if it is the \
             destination, then under `upstreams` in the file, then in Docker's configuration \
             (`docker login docker.io`)"
        );
    }
}
