//! The registry passwords that `GetAuthorizationToken` issues, and access keys of `AssumeRole`.

use std::collections::HashMap;
use std::sync::Mutex;

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::fresh;
use super::lock::lock;

/// What was issued. It is forgotten when the sandbox ends.
#[derive(Default)]
pub(super) struct Tokens {
    /// Whether each password is still good.
    passwords: Mutex<HashMap<String, bool>>,
    /// The ARN that each access key id stands for.
    keys: Mutex<HashMap<String, String>>,
}

/// What a password is worth.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Worth {
    Good,
    Expired,
    Unknown,
}

impl Tokens {
    /// A new password.
    pub(super) fn issue_password(&self) -> String {
        let password = format!("{}{}", fresh::identifier(), fresh::identifier());
        lock(&self.passwords).insert(password.clone(), true);
        password
    }

    /// Makes every password issued so far an expired one.
    pub(super) fn expire_passwords(&self) {
        lock(&self.passwords)
            .values_mut()
            .for_each(|good| *good = false);
    }

    /// What the login of a registry request is worth.
    pub(super) fn worth(&self, headers: &HeaderMap) -> Worth {
        let login = basic(headers);
        let password = login
            .filter(|(name, _)| name == "AWS")
            .map(|(_, word)| word);
        match password.and_then(|word| lock(&self.passwords).get(&word).copied()) {
            Some(true) => Worth::Good,
            Some(false) => Worth::Expired,
            None => Worth::Unknown,
        }
    }

    /// A new access key id that stands for an ARN.
    pub(super) fn issue_key(&self, arn: &str) -> String {
        let key = format!("ASIA{}", &fresh::identifier()[..16].to_uppercase());
        lock(&self.keys).insert(key.clone(), arn.to_owned());
        key
    }

    /// The ARN that an issued access key id stands for.
    pub(super) fn arn(&self, key: &str) -> Option<String> {
        lock(&self.keys).get(key).cloned()
    }
}

/// The user name and password of HTTP Basic.
pub(super) fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let decoded = STANDARD.decode(value.strip_prefix("Basic ")?).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (username, password) = text.split_once(':')?;
    Some((username.to_owned(), password.to_owned()))
}
