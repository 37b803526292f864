//! Who may read: Docker Hub's token service.

use std::collections::HashMap;
use std::net::SocketAddr;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::Response;
use parking_lot::Mutex;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use url::form_urlencoded::parse;

use crate::sandbox::fresh;
use crate::sandbox::options::{Login, Upstream};
use crate::sandbox::tokens::{Tokens, basic};

const SERVICE: &str = "registry.docker.io";

/// The repositories that each issued bearer token lets in.
#[derive(Default)]
pub(in crate::sandbox) struct Access {
    tokens: Mutex<HashMap<String, Vec<String>>>,
}

impl Access {
    /// `GET /token?service=S&scope=repository:NAME:pull`, with any number of scopes.
    pub(super) fn token(&self, login: Option<&Login>, headers: &HeaderMap, uri: &Uri) -> Response {
        if !is_known(login, headers) {
            let body = json!({"details": "incorrect username or password"});
            return answer(StatusCode::UNAUTHORIZED, &body, None);
        }
        let query = uri.query().unwrap_or_default();
        let repositories = parse(query.as_bytes())
            .filter(|(key, _)| key == "scope")
            .flat_map(|(_, value)| {
                let scopes = value.split(' ').map(str::to_owned);
                scopes.collect::<Vec<_>>()
            })
            .filter_map(|scope| {
                let (name, actions) = scope.strip_prefix("repository:")?.rsplit_once(':')?;
                let pulls = actions.split(',').any(|action| action == "pull");
                pulls.then(|| name.to_owned())
            });
        let token = fresh::identifier();
        let repositories = repositories.collect();
        self.tokens.lock().insert(token.clone(), repositories);
        let body = json!({"token": token, "access_token": token, "expires_in": 300});
        answer(StatusCode::OK, &body, None)
    }

    /// The refusal of a request to a repository, or to `/v2/` itself.
    pub(super) fn refuse(
        &self,
        upstream: &Upstream,
        tokens: &Tokens,
        address: SocketAddr,
        headers: &HeaderMap,
        repository: Option<&str>,
    ) -> Option<Response> {
        if let Some(token) = &upstream.ecr_token {
            let challenge = "Basic realm=\"sandbox\",service=\"ecr.amazonaws.com\"".to_owned();
            return (!tokens.is(token, headers)).then(|| unauthorized(repository, challenge));
        }
        if !upstream.bearer {
            let known = is_known(upstream.login.as_ref(), headers);
            return (!known).then(|| {
                let challenge = "Basic realm=\"sandbox\"".to_owned();
                unauthorized(repository, challenge)
            });
        }
        let token = headers.get(header::AUTHORIZATION);
        let token = token.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let tokens = self.tokens.lock();
        let granted = token.and_then(|token| tokens.get(token));
        let allowed = granted.is_some_and(|granted| {
            repository.is_none_or(|name| granted.iter().any(|other| other == name))
        });
        (!allowed).then(|| {
            let error = token.map(|_| ",error=\"insufficient_scope\"");
            challenge(address, repository, error.unwrap_or_default())
        })
    }
}

/// The refusal that Docker Hub gives for a repository that it does not have: it must not be told
/// from a private one.
pub(super) fn hidden(upstream: &Upstream, address: SocketAddr, repository: &str) -> Response {
    if upstream.bearer && upstream.ecr_token.is_none() {
        challenge(address, Some(repository), ",error=\"insufficient_scope\"")
    } else {
        let message = "repository name not known to registry";
        let errors = json!({"errors": [{"code": "NAME_UNKNOWN", "message": message}]});
        answer(StatusCode::NOT_FOUND, &errors, None)
    }
}

fn challenge(address: SocketAddr, repository: Option<&str>, error: &str) -> Response {
    let scope = repository.map(|name| format!(",scope=\"repository:{name}:pull\""));
    let scope = scope.unwrap_or_default();
    let realm = format!("http://{address}/token");
    let challenge = format!("Bearer realm=\"{realm}\",service=\"{SERVICE}\"{scope}{error}");
    unauthorized(repository, challenge)
}

fn unauthorized(repository: Option<&str>, challenge: String) -> Response {
    let detail = repository
        .map(|name| json!([{"Type": "repository", "Class": "", "Name": name, "Action": "pull"}]));
    let body = json!({"errors": [{
        "code": "UNAUTHORIZED",
        "message": "authentication required",
        "detail": detail,
    }]});
    answer(StatusCode::UNAUTHORIZED, &body, Some(challenge))
}

fn is_known(login: Option<&Login>, headers: &HeaderMap) -> bool {
    login.is_none_or(|login| {
        let password = login.password.expose_secret();
        basic(headers).is_some_and(|(name, word)| name == login.username && word == password)
    })
}

fn answer(status: StatusCode, body: &Value, challenge: Option<String>) -> Response {
    let mut response = Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/json");
    if let Some(challenge) = challenge {
        response = response.header(header::WWW_AUTHENTICATE, challenge);
    }
    response
        .body(Body::from(body.to_string()))
        .expect("a challenge is a valid header")
}
