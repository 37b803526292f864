//! Who ECR is at the upstream of a rule.

use super::cache_specification::CacheCredential;
use super::check::Checker;
use super::hint::suggest_or;
use super::mistakes::{Located, Place};
use super::{Password, password, written};
use crate::ecr::{CacheUpstream, UpstreamAccess};

/// Who ECR is at the upstream. What is wrong with an upstream is no matter here.
pub(super) fn check(
    username: Option<Located<String>>,
    token: Option<written::Password>,
    word: Option<&Located<String>>,
    upstream: Option<&CacheUpstream>,
    key: &Place,
    checker: &mut Checker<'_>,
) -> Option<CacheCredential> {
    let access = upstream.map(|upstream| upstream.kind.access());
    let first = username.as_ref().map(|text| &text.place);
    let first = first.or(word.map(|text| &text.place)).cloned();
    if let Some(word) = word {
        if word.value != "manual" {
            let message = format!("`{}` is no kind of credential", word.value);
            let otherwise = "write `manual`, or leave the key out";
            let hint = suggest_or(&word.value, &["manual"], otherwise);
            checker.mistakes.add(&word.place, message, hint);
            return None;
        }
        if username.is_some() || token.is_some() {
            let message = "the secret is filled in by hand, so nobody else says who it is for";
            let hint = "leave `credential` out, or `username` and `access_token`".to_owned();
            checker.mistakes.add(&word.place, message, hint);
            return None;
        }
    }
    if access == Some(UpstreamAccess::Role) && (first.is_some() || token.is_some()) {
        let message = "ECR's own registries have no user and no token";
        let hint = "leave them out; another account's is read with `custom_role_arn`".to_owned();
        let place = first.as_ref().unwrap_or(key);
        checker.mistakes.add(place, message, hint);
        return None;
    }
    if word.is_some() {
        return Some(CacheCredential::Manual);
    }
    match (username, token) {
        (username, Some(written::Password::Source(source))) => {
            let place = source.place.clone();
            let token = password::check(*source, checker)?;
            if let (None, Password::Known(_)) = (&username, &token) {
                let hint = "write `username` beside it".to_owned();
                checker
                    .mistakes
                    .add(&place, "a token without a username", hint);
            }
            let username = username.map(|username| username.value);
            Some(CacheCredential::User { username, token })
        }
        (_, Some(written::Password::Unusable)) => None,
        (Some(username), None) => {
            let hint = "write `access_token: {env: NAME}` beside it".to_owned();
            let message = "a username without an access token";
            checker.mistakes.add(&username.place, message, hint);
            None
        }
        (None, None) => match upstream {
            Some(upstream) if access == Some(UpstreamAccess::Secret) => {
                let message = format!("ECR reads `{upstream}` only with a login");
                let hint = "write `username` and `access_token: {env: NAME}`, or \
                            `credential: manual` to fill in the secret by hand";
                checker.mistakes.add(key, message, hint.to_owned());
                None
            }
            _ => Some(CacheCredential::Nobody),
        },
    }
}
