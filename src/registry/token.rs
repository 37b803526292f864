//! Tokens and the services that grant them, as the Docker registry's token specification says.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::Method;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;
use url::form_urlencoded::Serializer;

use super::request::Body;
use super::transport::{Outgoing, Transport, host, read};
use super::{Authorization, Cause, Login};
use crate::image::Repository;

/// How long a token lasts when its service does not say; from the specification.
const DEFAULT_LIFE: Duration = Duration::from_mins(1);

/// The longest life believed. Services that grant more have tokens for ever.
const MAX_LIFE: Duration = Duration::from_hours(24);

/// How long before its end a token is no longer used.
const MARGIN: Duration = Duration::from_secs(30);

/// The largest answer of a token service, in bytes.
const MAX_ANSWER: u64 = 1024 * 1024;

/// The name that longshore has for token services.
const CLIENT_ID: &str = "longshore";

/// What a token must allow.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(super) struct Scopes(BTreeSet<String>);

/// A token and its life.
pub(super) struct Token {
    pub(super) secret: Arc<SecretString>,
    stale_at: Instant,
}

/// Who grants tokens for a registry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct TokenService {
    pub(super) realm: Url,
    pub(super) service: Option<String>,
}

impl Scopes {
    pub(super) fn pull(repository: &Repository) -> Self {
        Self(BTreeSet::from([format!("repository:{repository}:pull")]))
    }

    pub(super) fn push(repository: &Repository) -> Self {
        Self(BTreeSet::from([format!(
            "repository:{repository}:pull,push"
        )]))
    }

    /// These and what a challenge names, a list separated by spaces.
    pub(super) fn and(&self, challenge: &str) -> Self {
        let more = challenge.split_whitespace().map(str::to_owned);
        Self(self.0.iter().cloned().chain(more).collect())
    }
}

impl Token {
    pub(super) fn is_fresh(&self) -> bool {
        Instant::now() < self.stale_at
    }

    /// Whether this very token was sent.
    pub(super) fn is(&self, sent: Option<&Authorization>) -> bool {
        matches!(sent, Some(Authorization::Bearer(secret)) if Arc::ptr_eq(secret, &self.secret))
    }
}

impl TokenService {
    /// Asks for a token. No scope means any token: the service only judges the login.
    pub(super) async fn grant(
        &self,
        transport: &Transport,
        login: Option<&Login>,
        scopes: &Scopes,
    ) -> Result<Token, Cause> {
        let (outgoing, authorization) = match login {
            Some(Login::IdentityToken(token)) => {
                (self.refresh(token, scopes), Authorization::Anonymous)
            }
            Some(Login::Password { username, password }) => {
                let (username, password) = (username.clone(), password.clone());
                let authorization = Authorization::Basic { username, password };
                (self.request(scopes), authorization)
            }
            None => (self.request(scopes), Authorization::Anonymous),
        };
        let begun = Instant::now();
        let response = transport.send(outgoing, &authorization).await?;
        parse(&read(response, MAX_ANSWER).await?, begun).ok_or_else(|| Cause::Malformed {
            host: host(&self.realm),
            what: "granted no token that can be sent",
        })
    }

    fn request(&self, scopes: &Scopes) -> Outgoing<'static> {
        let mut url = self.realm.clone();
        if self.service.is_some() || !scopes.0.is_empty() {
            let mut query = url.query_pairs_mut();
            query.extend_pairs(self.service.iter().map(|service| ("service", service)));
            query.extend_pairs(scopes.0.iter().map(|scope| ("scope", scope)));
        }
        Outgoing {
            method: Method::GET,
            url,
            accept: &[],
            offset: 0,
            is_stream: false,
            body: None,
            meter: None,
        }
    }

    fn refresh(&self, token: &SecretString, scopes: &Scopes) -> Outgoing<'static> {
        let scopes: Vec<&str> = scopes.0.iter().map(String::as_str).collect();
        let form = Serializer::new(String::new())
            .append_pair("grant_type", "refresh_token")
            .extend_pairs(self.service.iter().map(|service| ("service", service)))
            .append_pair("client_id", CLIENT_ID)
            .append_pair("scope", &scopes.join(" "))
            .append_pair("refresh_token", token.expose_secret())
            .finish();
        Outgoing {
            method: Method::POST,
            url: self.realm.clone(),
            accept: &[],
            offset: 0,
            is_stream: false,
            body: Some(Body {
                media_type: "application/x-www-form-urlencoded".to_owned(),
                bytes: form.into(),
            }),
            meter: None,
        }
    }
}

/// The token of an answer. What is wrong with a malformed one is not said: it may quote the secret.
fn parse(answer: &[u8], begun: Instant) -> Option<Token> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    let secret = ["token", "access_token"]
        .into_iter()
        .filter_map(|key| answer.get(key)?.as_str())
        .find(|secret| !secret.is_empty())?;
    // A token travels in a header.
    HeaderValue::from_str(secret).ok()?;
    let life = answer
        .get("expires_in")
        .and_then(Value::as_u64)
        .filter(|seconds| *seconds > 0)
        .map_or(DEFAULT_LIFE, Duration::from_secs)
        .min(MAX_LIFE);
    Some(Token {
        secret: Arc::new(SecretString::from(secret)),
        stale_at: begun + life.saturating_sub(MARGIN),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_tokens_and_their_lives() {
        let minute = Duration::from_mins(1);
        for (answer, token) in [
            (r#"{"token":"t"}"#, Some(("t", minute))),
            (r#"{"token":"","access_token":"a"}"#, Some(("a", minute))),
            (r#"{"token":"t","expires_in":0}"#, Some(("t", minute))),
            (r#"{"token":"t","expires_in":300}"#, Some(("t", 5 * minute))),
            (
                r#"{"token":"t","expires_in":18446744073709551615}"#,
                Some(("t", 24 * 60 * minute)),
            ),
            (r#"{"token":"t\ninjected: 1"}"#, None),
            (r#"{"token":""}"#, None),
            ("{", None),
        ] {
            let begun = Instant::now();
            let parsed = parse(answer.as_bytes(), begun);
            let parsed = parsed.as_ref().map(|token| {
                let life = token.stale_at - begun + MARGIN;
                (token.secret.expose_secret(), life)
            });
            assert_eq!(parsed, token, "{answer}");
        }
    }
}
