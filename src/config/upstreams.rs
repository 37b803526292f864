//! `upstreams`: who we are at source registries, and where they really are.

use std::collections::BTreeMap;

use super::check::Checker;
use super::destination::{self, given};
use super::mistakes::{Located, Place};
use super::reader::Table;
use super::specification::{Upstream, UpstreamLogin};
use super::{Password, password, through_cache, written};
use crate::ecr::EcrHost;
use crate::image::Registry;
use crate::registry::{Endpoint, Login};

pub(super) fn check(
    written: Table<written::Upstream>,
    cached: &[Registry],
    checker: &mut Checker<'_>,
) -> BTreeMap<Registry, Upstream> {
    let mut upstreams = BTreeMap::new();
    for (name, upstream) in written {
        if let Some((_, host)) = name.value.split_once("://") {
            let hint = format!("write `{host}`");
            let message = "a registry is named without a scheme";
            checker.mistakes.add(&name.place, message, hint);
            continue;
        }
        let Some(registry) = checker.parse::<Registry>(&name) else {
            continue;
        };
        let endpoint = real_endpoint(&registry, &upstream, checker);
        let (profile, role_arn) = (given(upstream.profile), given(upstream.role_arn));
        let read_at = endpoint.as_ref().map(|endpoint| &endpoint.registry);
        let is_ecr = [Some(&registry), read_at]
            .into_iter()
            .flatten()
            .any(|host| EcrHost::of(host).is_some() || host.is_public_ecr());
        for text in [&profile, &role_arn].into_iter().flatten() {
            let has_login = upstream.username.is_some() || upstream.password.is_some();
            refuse_aws(&registry, is_ecr, has_login, &text.place, checker);
        }
        let upstream = Upstream {
            login: login(upstream.username, upstream.password, checker),
            profile: profile.map(|text| text.value),
            role_arn: role_arn.and_then(|text| destination::role_arn(text, checker)),
            endpoint,
            through_cache: through_cache::check(upstream.via, &registry, cached, checker),
        };
        if upstreams.insert(registry.clone(), upstream).is_some() {
            let message = format!("`{registry}` stands here under another name already");
            checker.mistakes.add(&name.place, message, None);
        }
    }
    upstreams
}

/// AWS knows the login of ECR's registries only, and a registry takes one login.
fn refuse_aws(
    registry: &Registry,
    is_ecr: bool,
    has_login: bool,
    place: &Place,
    checker: &mut Checker<'_>,
) {
    if !is_ecr {
        let message = format!("`{registry}` is no registry that an ECR token opens");
        let hint = match place.position {
            Some(_) => {
                "write `username` and `password`; an ECR registry is called \
                 `123456789012.dkr.ecr.eu-west-1.amazonaws.com`"
            }
            None => "leave it out: Docker's configuration has the login",
        };
        checker.mistakes.add(place, message, hint.to_owned());
    } else if has_login {
        let message = "beside a username or a password it would not be used";
        let hint = "leave `username` and `password` out: AWS gives both".to_owned();
        checker.mistakes.add(place, message, hint);
    }
}

fn real_endpoint(
    registry: &Registry,
    upstream: &written::Upstream,
    checker: &mut Checker<'_>,
) -> Option<Endpoint> {
    let insecure = upstream.insecure.unwrap_or(false);
    if let Some(text) = &upstream.endpoint {
        let endpoint = endpoint(text, insecure, checker)?;
        let hint = "write `insecure: true` beside it if nobody can listen in";
        refuse_plain_http(&endpoint, insecure, &text.place, hint, checker);
        Some(endpoint)
    } else {
        insecure.then(|| Endpoint {
            plain_http: true,
            ..Endpoint::of(registry)
        })
    }
}

/// An endpoint. Without a scheme it is plain HTTP on loopback or where the user said `insecure`.
pub(super) fn endpoint(
    text: &Located<String>,
    insecure: bool,
    checker: &mut Checker<'_>,
) -> Option<Endpoint> {
    // What stands before `@` may be a password, which no message may repeat.
    if text.value.contains('@') {
        let message = "an endpoint holds no user and no password";
        checker.mistakes.add(&text.place, message, None);
        return None;
    }
    let mut endpoint: Endpoint = checker.parse(text)?;
    if !text.value.contains("://") {
        endpoint.plain_http = insecure || endpoint.registry.is_loopback();
    }
    Some(endpoint)
}

/// Plain HTTP goes to loopback, or where the user said so.
pub(super) fn refuse_plain_http(
    endpoint: &Endpoint,
    insecure: bool,
    place: &Place,
    hint: &str,
    checker: &mut Checker<'_>,
) {
    if endpoint.plain_http && !insecure && !endpoint.registry.is_loopback() {
        let message = format!("`{endpoint}` would be read in plain HTTP");
        checker.mistakes.add(place, message, hint.to_owned());
    }
}

fn login(
    username: Option<Located<String>>,
    password: Option<written::Password>,
    checker: &mut Checker<'_>,
) -> Option<UpstreamLogin> {
    if let Some(username) = username.as_ref().filter(|name| name.value.is_empty()) {
        let message = "the username is empty";
        checker.mistakes.add(&username.place, message, None);
    }
    match (username, password) {
        (username, Some(written::Password::Source(source))) => {
            let is_stored = source.value.secret.is_some() || source.value.ssm.is_some();
            if username.is_none() && !is_stored {
                let hint = "write `username` beside it".to_owned();
                let message = "a password without a username";
                checker.mistakes.add(&source.place, message, hint);
            }
            let username = username.map(|username| username.value);
            Some(match password::check(*source, checker)? {
                Password::Stored(password) => UpstreamLogin::AtAws { username, password },
                Password::Known(password) => UpstreamLogin::Known(Login::Password {
                    username: username?,
                    password,
                }),
            })
        }
        (Some(username), None) => {
            let hint = "write `password: {env: NAME}` beside it".to_owned();
            let message = "a username without a password";
            checker.mistakes.add(&username.place, message, hint);
            None
        }
        (_, Some(written::Password::Unusable)) | (None, None) => None,
    }
}
