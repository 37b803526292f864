//! The registry passwords that `GetAuthorizationToken` issues, and access keys of `AssumeRole`.

use std::collections::HashMap;

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;

use super::fresh;
use super::options::EcrToken;

/// What was issued. It is forgotten when the sandbox ends.
#[derive(Default)]
pub(super) struct Tokens {
    passwords: Mutex<HashMap<String, Password>>,
    /// The ARN that each access key id stands for.
    keys: Mutex<HashMap<String, String>>,
}

struct Password {
    is_good: bool,
    token: EcrToken,
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
    pub(super) fn issue_password(&self, token: EcrToken) -> String {
        let password = format!("{}{}", fresh::identifier(), fresh::identifier());
        let is_good = true;
        self.passwords
            .lock()
            .insert(password.clone(), Password { is_good, token });
        password
    }

    /// Makes every password issued so far an expired one.
    pub(super) fn expire_passwords(&self) {
        self.passwords
            .lock()
            .values_mut()
            .for_each(|password| password.is_good = false);
    }

    /// What the login of a registry request is worth.
    pub(super) fn worth(&self, headers: &HeaderMap) -> Worth {
        match self.find(headers) {
            Some((true, _)) => Worth::Good,
            Some((false, _)) => Worth::Expired,
            None => Worth::Unknown,
        }
    }

    /// Whether the login of a registry request is a good one and was issued so.
    pub(super) fn is(&self, token: &EcrToken, headers: &HeaderMap) -> bool {
        matches!(self.find(headers), Some((true, issued)) if issued == *token)
    }

    fn find(&self, headers: &HeaderMap) -> Option<(bool, EcrToken)> {
        let (_, word) = basic(headers).filter(|(name, _)| name == "AWS")?;
        let passwords = self.passwords.lock();
        let password = passwords.get(&word)?;
        Some((password.is_good, password.token.clone()))
    }

    /// A new access key id that stands for an ARN.
    pub(super) fn issue_key(&self, arn: &str) -> String {
        let key = format!("ASIA{}", &fresh::identifier()[..16].to_uppercase());
        self.keys.lock().insert(key.clone(), arn.to_owned());
        key
    }

    /// The ARN that an issued access key id stands for.
    pub(super) fn arn(&self, key: &str) -> Option<String> {
        self.keys.lock().get(key).cloned()
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
