//! `config.json` as Docker writes it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::{fs, io};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};

use super::Error;
use crate::registry::Login;

/// What longshore reads of `config.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct File {
    pub(super) auths: Option<BTreeMap<String, Option<Entry>>>,
    pub(super) cred_helpers: Option<BTreeMap<String, String>>,
    pub(super) creds_store: Option<String>,
}

/// What Docker keeps for one registry; empty where a helper keeps it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Entry {
    #[serde(deserialize_with = "secret")]
    auth: Option<SecretString>,
    username: Option<String>,
    #[serde(deserialize_with = "secret")]
    password: Option<SecretString>,
    #[serde(deserialize_with = "secret")]
    identitytoken: Option<SecretString>,
}

/// An `auth` is not the base64 of a name, a colon and a password.
pub(super) struct MalformedAuth;

impl File {
    /// Reads a file. One that does not exist is an empty one, and so is one without a byte.
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => {
                return Err(Error::UnreadableConfig {
                    path: path.to_owned(),
                    source: Arc::new(source),
                });
            }
            Ok(text) => text,
        };
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        // The parser's own message may quote a secret.
        serde_json::from_str(&text).map_err(|error| Error::MalformedConfig {
            path: path.to_owned(),
            line: error.line(),
            column: error.column(),
        })
    }
}

impl Entry {
    /// The login that it holds.
    pub(super) fn login(&self) -> Result<Option<Login>, MalformedAuth> {
        let set = |secret: &Option<SecretString>| {
            let secret = secret.clone();
            secret.filter(|secret| !secret.expose_secret().is_empty())
        };
        if let Some(token) = set(&self.identitytoken) {
            return Ok(Some(Login::IdentityToken(token)));
        }
        let (username, password) = match set(&self.auth) {
            Some(auth) => decode(&auth).ok_or(MalformedAuth)?,
            None => match (&self.username, set(&self.password)) {
                (Some(username), Some(password)) => (username.clone(), password),
                _ => return Ok(None),
            },
        };
        Ok(Some(Login::Password { username, password }))
    }
}

fn decode(auth: &SecretString) -> Option<(String, SecretString)> {
    let text = String::from_utf8(STANDARD.decode(auth.expose_secret()).ok()?).ok()?;
    let (username, password) = text.split_once(':')?;
    let password = SecretString::from(password.trim_matches('\0'));
    Some((username.to_owned(), password))
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(SecretString::from))
}
