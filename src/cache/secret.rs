//! The secret that a rule logs in with.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};

use crate::aws::{NewSecret, SecretDescription};
use crate::config::{CacheCredential, CacheRule, Password, StoredSecret};
use crate::registry::Login;

use super::mark::MARK;
use super::{Access, Error};

/// What the names of the cache's secrets begin with; ECR reads no others.
const PREFIX: &str = "ecr-pullthroughcache/";

/// What a person replaces.
const FILL_ME: &str = "FILL-ME";

/// A rule's secret, as it is and as it shall be.
#[derive(Debug)]
pub(super) enum SeenSecret {
    /// The rule has none.
    None,
    /// Others keep it, under this ARN.
    Elsewhere { arn: String },
    /// longshore keeps it.
    Kept(KeptSecret),
}

/// A secret that longshore keeps.
#[derive(Debug)]
pub(super) struct KeptSecret {
    /// As it would be created.
    pub(super) wanted: NewSecret,
    /// What there is.
    pub(super) found: Option<SecretDescription>,
    /// Whether it holds another login than it shall.
    pub(super) differs: bool,
}

impl SeenSecret {
    /// Looks at the secret of a rule.
    pub(super) async fn look(rule: &CacheRule, access: &Access) -> Result<Self, Error> {
        let CacheCredential::User { username, token } = &rule.credential else {
            return match rule.credential {
                CacheCredential::Manual => by_hand(rule, access).await,
                _ => Ok(Self::None),
            };
        };
        if let Some(id) = usable(&rule.credential, &access.region) {
            let found = describe(id, access).await?;
            let found = found.filter(|found| !found.is_deleted);
            let found = found.ok_or_else(|| Error::NoSecret {
                name: id.to_owned(),
                region: access.region.clone(),
            })?;
            return Ok(Self::Elsewhere { arn: found.arn });
        }
        let (username, token) = login(rule, username.as_deref(), token, access).await?;
        let mut wanted = new_secret(rule, &username, token.expose_secret());
        let found = describe(&wanted.name, access).await?;
        let differs = match &found {
            Some(found) if found.is_deleted || !found.has_value => true,
            Some(found) => {
                let held = access.secrets.value(&found.arn).await;
                let held = held.map_err(|source| failed("read", &wanted.name, source))?;
                let (value, differs) = with_login(held.as_ref(), &username, &token);
                wanted.value = value;
                differs
            }
            None => false,
        };
        Ok(Self::Kept(KeptSecret {
            wanted,
            found,
            differs,
        }))
    }
}

/// The name of the secret that longshore keeps for a prefix.
pub(super) fn name(prefix: &str) -> String {
    format!("{PREFIX}{prefix}")
}

pub(super) fn failed(action: &'static str, name: &str, source: crate::aws::Error) -> Error {
    Error::Secret {
        action,
        name: name.to_owned(),
        source,
    }
}

/// Looks a secret up.
pub(super) async fn describe(
    id: &str,
    access: &Access,
) -> Result<Option<SecretDescription>, Error> {
    let found = access.secrets.describe(id).await;
    found.map_err(|source| failed("look up", id, source))
}

/// The secret that a person fills in; what it holds is nobody else's business.
async fn by_hand(rule: &CacheRule, access: &Access) -> Result<SeenSecret, Error> {
    let wanted = new_secret(rule, FILL_ME, FILL_ME);
    let found = describe(&wanted.name, access).await?;
    let differs = found.as_ref().is_some_and(|found| !found.has_value);
    Ok(SeenSecret::Kept(KeptSecret {
        wanted,
        found,
        differs,
    }))
}

/// How a person fills in the secret of a prefix.
pub fn how_to_fill(prefix: &str) -> String {
    let name = name(prefix);
    format!(
        "put `username` and `accessToken` into the secret `{name}`: aws secretsmanager \
         put-secret-value --secret-id {name} --secret-string file://login.json"
    )
}

/// Whether a rule names a secret that somebody else keeps.
pub(super) fn is_taken_as_it_is(credential: &CacheCredential, region: &str) -> bool {
    usable(credential, region).is_some()
}

/// The secret that a rule can name as it is: one of the cache's own, in the registry's region, with
/// the user's name in it.
fn usable<'a>(credential: &'a CacheCredential, region: &str) -> Option<&'a str> {
    let CacheCredential::User {
        username: None,
        token: Password::Stored(stored @ StoredSecret::SecretsManager(id)),
    } = credential
    else {
        return None;
    };
    let name = match id.split_once(":secret:") {
        Some((_, name)) => name,
        None => id,
    };
    let here = stored.region().is_none_or(|named| named == region);
    (here && name.starts_with(PREFIX)).then_some(id)
}

async fn login(
    rule: &CacheRule,
    username: Option<&str>,
    token: &Password,
    access: &Access,
) -> Result<(String, SecretString), Error> {
    let stored = match (token, username) {
        (Password::Known(token), username) => {
            return Ok((username.unwrap_or_default().to_owned(), token.clone()));
        }
        (Password::Stored(stored), _) => stored,
    };
    let login = access.store.login(username, stored).await;
    let login = login.map_err(|source| Error::Login {
        upstream: rule.upstream.host.clone(),
        source,
    })?;
    Ok(match login {
        Login::Password { username, password } => (username, password),
        Login::IdentityToken(token) => (username.unwrap_or_default().to_owned(), token),
    })
}

fn new_secret(rule: &CacheRule, username: &str, token: &str) -> NewSecret {
    let value = json!({"username": username, "accessToken": token}).to_string();
    NewSecret {
        name: name(&rule.prefix),
        description: MARK.to_owned(),
        value: value.into(),
        kms_key_id: None,
        tags: rule.template.tags.clone(),
    }
}

/// A secret's text with this login in it, and whether it held another one. Other keys in it are
/// somebody else's, and stay.
fn with_login(
    held: Option<&SecretString>,
    username: &str,
    token: &SecretString,
) -> (SecretString, bool) {
    let held = held.and_then(|held| serde_json::from_str(held.expose_secret()).ok());
    let mut value: Map<String, Value> = held.unwrap_or_default();
    let mut differs = false;
    for (key, wanted) in [
        ("username", username),
        ("accessToken", token.expose_secret()),
    ] {
        let held = value.insert(key.to_owned(), wanted.into());
        differs |= held.is_none_or(|held| held != wanted);
    }
    (Value::Object(value).to_string().into(), differs)
}

/// Those of the tags that a secret lacks, or has with another value.
pub(super) fn missing_tags(
    wanted: &BTreeMap<String, String>,
    found: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let missing = wanted
        .iter()
        .filter(|(key, value)| found.get(*key) != Some(value));
    missing
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}
