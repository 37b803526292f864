//! How a server wants to be convinced.

use http_auth::parse_challenges;
use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

/// A challenge of a `WWW-Authenticate` header that this client can answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Challenge {
    /// A name and a password with every request. ECR.
    Basic,
    /// A token from a token service.
    Bearer {
        /// The token service's URL.
        realm: String,
        /// The name under which the token service knows the registry.
        service: Option<String>,
        /// What the token must allow.
        scope: Option<String>,
    },
}

impl Challenge {
    /// All challenges that can be answered, the best first: tokens before passwords.
    pub(super) fn all(headers: &HeaderMap) -> Vec<Self> {
        let mut challenges: Vec<Self> = headers
            .get_all(WWW_AUTHENTICATE)
            .iter()
            .filter_map(|value| parse_challenges(value.to_str().ok()?).ok())
            .flatten()
            .filter_map(|challenge| {
                let parameter = |name: &str| {
                    let (_, value) = challenge
                        .params
                        .iter()
                        .find(|(key, _)| key.eq_ignore_ascii_case(name))?;
                    Some(value.to_unescaped())
                };
                if challenge.scheme.eq_ignore_ascii_case("basic") {
                    Some(Self::Basic)
                } else if challenge.scheme.eq_ignore_ascii_case("bearer") {
                    Some(Self::Bearer {
                        realm: parameter("realm")?,
                        service: parameter("service"),
                        scope: parameter("scope"),
                    })
                } else {
                    None
                }
            })
            .collect();
        challenges.sort_by_key(|challenge| matches!(challenge, Self::Basic));
        challenges
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_challenges() {
        let mut headers = HeaderMap::new();
        for value in [
            r#"Negotiate, Basic realm="https://1.dkr.ecr.eu-west-1.amazonaws.com/",service="ecr.amazonaws.com""#,
            r#"bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push""#,
            "= broken",
        ] {
            headers.append(WWW_AUTHENTICATE, value.parse().unwrap());
        }
        assert_eq!(
            Challenge::all(&headers),
            [
                Challenge::Bearer {
                    realm: "https://auth.docker.io/token".to_owned(),
                    service: Some("registry.docker.io".to_owned()),
                    scope: Some("repository:a/b:pull,push".to_owned()),
                },
                Challenge::Basic,
            ]
        );
    }
}
