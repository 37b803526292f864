//! The client with which the cache reads an upstream registry. It knows no more of the protocol
//! than that takes, and shares nothing with longshore's own client.

use std::time::Duration;

use axum::http::{HeaderMap, StatusCode, header};
use http_auth::parse_challenges;
use reqwest::{Method, Response, Url};
use secrecy::ExposeSecret as _;
use serde::Deserialize;

use super::login::login;
use super::{Failure, Rule};
use crate::image::{Digest, Manifest, media_type};
use crate::sandbox::options::Login;
use crate::sandbox::state::State;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// One repository of an upstream registry.
pub(super) struct Client<'a> {
    http: &'a reqwest::Client,
    /// `http://HOST`.
    registry: String,
    repository: String,
    login: Option<Login>,
}

/// How the upstream wants to be asked.
enum Authorization {
    None,
    Basic,
    Bearer(String),
}

/// Docker Hub gives the token under both names, other services under one of them.
#[derive(Deserialize)]
struct Granted {
    token: Option<String>,
    access_token: Option<String>,
}

/// The connections to all upstream registries.
pub(super) fn connections() -> reqwest::Client {
    let client = reqwest::Client::builder()
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .build();
    client.expect("the settings are sound")
}

/// Whether a rule's upstream answers and takes the rule's login.
pub(in crate::sandbox) async fn reach(state: &State, rule: &Rule) -> Result<(), Failure> {
    let client = Client::new(state, rule, String::new())?;
    let url = format!("{}/v2/", client.registry);
    client.get(Method::GET, &url, &HeaderMap::new()).await?;
    Ok(())
}

impl<'a> Client<'a> {
    pub(super) fn new(state: &'a State, rule: &Rule, repository: String) -> Result<Self, Failure> {
        let host = &rule.upstream_registry_url;
        let mapped = state.options.upstream_endpoints.get(host).cloned();
        let own = || Some(format!("http://{}", state.addresses.upstream?));
        Ok(Self {
            http: state.imports.http(),
            registry: mapped.or_else(own).ok_or(Failure::Unavailable)?,
            repository,
            login: login(state, rule)?,
        })
    }

    /// The digest that a tag has now. A HEAD costs none of Docker Hub's pulls.
    pub(super) async fn digest(&self, tag: &str) -> Result<Digest, Failure> {
        let response = self.manifest_request(Method::HEAD, tag).await?;
        let digest = response.headers().get("docker-content-digest");
        let digest = digest.and_then(|value| value.to_str().ok()?.parse().ok());
        digest.ok_or(Failure::Unavailable)
    }

    /// A manifest by tag or digest.
    pub(super) async fn manifest(&self, reference: &str) -> Result<Manifest, Failure> {
        let response = self.manifest_request(Method::GET, reference).await?;
        let media_type = response.headers().get(header::CONTENT_TYPE);
        let media_type = media_type.and_then(|value| value.to_str().ok());
        let media_type = media_type.unwrap_or_default().to_owned();
        let bytes = response.bytes().await.map_err(unavailable)?;
        let manifest = Manifest::new(&media_type, bytes);
        let is_other = reference.contains(':') && manifest.digest().as_str() != reference;
        if is_other {
            return Err(Failure::Unavailable);
        }
        Ok(manifest)
    }

    /// A blob, its bytes still to be read and checked.
    pub(super) async fn blob(&self, digest: &str) -> Result<Response, Failure> {
        let url = format!("{}/v2/{}/blobs/{digest}", self.registry, self.repository);
        self.get(Method::GET, &url, &HeaderMap::new()).await
    }

    async fn manifest_request(&self, method: Method, reference: &str) -> Result<Response, Failure> {
        let mut headers = HeaderMap::new();
        let accepted = media_type::ACCEPT_MANIFESTS.join(", ");
        let accepted = accepted.parse().map_err(unavailable)?;
        headers.insert(header::ACCEPT, accepted);
        let (registry, repository) = (&self.registry, &self.repository);
        let url = format!("{registry}/v2/{repository}/manifests/{reference}");
        self.get(method, &url, &headers).await
    }

    /// Asks, and once more in the way that the first answer demands.
    async fn get(
        &self,
        method: Method,
        url: &str,
        headers: &HeaderMap,
    ) -> Result<Response, Failure> {
        let first = self.send(&method, url, headers, &Authorization::None);
        let first = first.await?;
        if first.status() != StatusCode::UNAUTHORIZED {
            return judge(first);
        }
        let authorization = self.authorize(first.headers()).await?;
        judge(self.send(&method, url, headers, &authorization).await?)
    }

    async fn send(
        &self,
        method: &Method,
        url: &str,
        headers: &HeaderMap,
        authorization: &Authorization,
    ) -> Result<Response, Failure> {
        let request = self.http.request(method.clone(), url);
        let request = request.headers(headers.clone());
        let request = match (authorization, &self.login) {
            (Authorization::Bearer(token), _) => request.bearer_auth(token),
            (Authorization::Basic, Some(login)) => {
                request.basic_auth(&login.username, Some(login.password.expose_secret()))
            }
            (Authorization::Basic, None) | (Authorization::None, _) => request,
        };
        request.send().await.map_err(unavailable)
    }

    async fn authorize(&self, headers: &HeaderMap) -> Result<Authorization, Failure> {
        let value = headers.get(header::WWW_AUTHENTICATE);
        let value = value.and_then(|value| value.to_str().ok());
        let challenges = parse_challenges(value.unwrap_or_default()).map_err(unavailable)?;
        let bearer = challenges
            .iter()
            .find(|challenge| challenge.scheme.eq_ignore_ascii_case("bearer"));
        let Some(challenge) = bearer else {
            return Ok(Authorization::Basic);
        };
        let parameter = |name: &str| {
            let mut parameters = challenge.params.iter();
            let (_, value) = parameters.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
            Some(value.to_unescaped())
        };
        let realm = parameter("realm").unwrap_or_default();
        let mut url = Url::parse(&realm).map_err(unavailable)?;
        for name in ["service", "scope"] {
            if let Some(value) = parameter(name) {
                url.query_pairs_mut().append_pair(name, &value);
            }
        }
        let (headers, basic) = (HeaderMap::new(), Authorization::Basic);
        let response = self.send(&Method::GET, url.as_str(), &headers, &basic);
        let granted = judge(response.await?)?.bytes().await;
        let granted = granted.map_err(unavailable)?;
        let granted: Granted = serde_json::from_slice(&granted).map_err(unavailable)?;
        let token = granted.token.or(granted.access_token);
        Ok(Authorization::Bearer(token.ok_or(Failure::Unavailable)?))
    }
}

fn judge(response: Response) -> Result<Response, Failure> {
    Err(match response.status() {
        status if status.is_success() => return Ok(response),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Failure::AccessDenied,
        StatusCode::NOT_FOUND => Failure::NotFound,
        StatusCode::TOO_MANY_REQUESTS => Failure::TooManyRequests,
        _ => Failure::Unavailable,
    })
}

/// Whatever else goes wrong on the way to an upstream looks the same to who pulls.
fn unavailable<E>(_: E) -> Failure {
    Failure::Unavailable
}
