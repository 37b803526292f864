//! Where a registry really is.

use std::fmt;
use std::str::FromStr;

use crate::image::Registry;

/// Scheme, host and port of a registry: `https://registry-1.docker.io`, `http://127.0.0.1:5001`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Endpoint {
    /// Host with an optional port.
    pub registry: Registry,
    /// Whether the registry is spoken to in plain HTTP.
    pub plain_http: bool,
}

/// A text is no endpoint. A user and a password in it are left out.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{0}` is not a registry endpoint; write it as `https://host` or `http://127.0.0.1:5000`")]
pub struct ParseEndpointError(String);

impl Endpoint {
    /// Where a registry is when nobody says otherwise: Docker Hub at `registry-1.docker.io`, every
    /// other at its own name, always over TLS. A registry on loopback is spoken to in plain HTTP,
    /// as Docker does by default.
    pub fn of(registry: &Registry) -> Self {
        Self::at(registry.clone(), registry.is_loopback())
    }

    fn at(registry: Registry, plain_http: bool) -> Self {
        let registry = if registry.is_docker_hub() {
            "registry-1.docker.io".parse().expect("a sound host name")
        } else {
            registry
        };
        Self {
            registry,
            plain_http,
        }
    }
}

impl FromStr for Endpoint {
    type Err = ParseEndpointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = || ParseEndpointError(without_userinfo(text));
        let (plain_http, rest) = match text.split_once("://") {
            Some(("https", rest)) => (false, rest),
            Some(("http", rest)) => (true, rest),
            Some(_) => return Err(fail()),
            None => (false, text),
        };
        let registry = rest
            .strip_suffix('/')
            .unwrap_or(rest)
            .parse()
            .map_err(|_| fail())?;
        Ok(Self::at(registry, plain_http))
    }
}

fn without_userinfo(text: &str) -> String {
    let Some((start, host)) = text.rsplit_once('@') else {
        return text.to_owned();
    };
    let scheme = start.split_once("://").map(|(scheme, _)| scheme);
    scheme.map_or_else(|| host.to_owned(), |scheme| format!("{scheme}://{host}"))
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.plain_http { "http" } else { "https" };
        write!(formatter, "{scheme}://{}", self.registry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults() {
        for (registry, endpoint) in [
            ("docker.io", "https://registry-1.docker.io"),
            ("ghcr.io", "https://ghcr.io"),
            ("127.0.0.1:5000", "http://127.0.0.1:5000"),
        ] {
            assert_eq!(
                Endpoint::of(&registry.parse().unwrap()).to_string(),
                endpoint
            );
        }
    }

    #[test]
    fn parses_what_it_prints() {
        for text in ["https://ghcr.io", "http://127.0.0.1:5001"] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), text);
        }
        assert_eq!(
            "ghcr.io/".parse::<Endpoint>().unwrap().to_string(),
            "https://ghcr.io"
        );
        for text in [
            "",
            "ftp://a",
            "https://",
            "https://a/b",
            "https://user:pass@a",
        ] {
            assert!(text.parse::<Endpoint>().is_err(), "{text}");
        }
    }

    #[test]
    fn docker_hub_has_one_endpoint() {
        for text in ["https://index.docker.io", "https://docker.io", "docker.io"] {
            assert_eq!(
                text.parse::<Endpoint>().unwrap().to_string(),
                "https://registry-1.docker.io"
            );
        }
    }

    #[test]
    fn an_error_repeats_no_password() {
        for text in ["https://user:p@ss@host", "user:p@ss@host"] {
            let error = text.parse::<Endpoint>().unwrap_err().to_string();
            assert!(error.contains("host`") && !error.contains("ss"), "{error}");
        }
    }
}
