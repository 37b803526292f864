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

/// A text is no endpoint.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{0}` is not a registry endpoint; write it as `https://host` or `http://127.0.0.1:5000`")]
pub struct ParseEndpointError(String);

impl Endpoint {
    /// Where a registry is when nobody says otherwise: Docker Hub at `registry-1.docker.io`, every
    /// other at its own name, always over TLS. A registry on loopback is spoken to in plain HTTP,
    /// as Docker does by default.
    pub fn of(registry: &Registry) -> Self {
        if registry.is_docker_hub() {
            let registry = "registry-1.docker.io".parse().expect("a sound host name");
            return Self {
                registry,
                plain_http: false,
            };
        }
        Self {
            registry: registry.clone(),
            plain_http: registry.is_loopback(),
        }
    }
}

impl FromStr for Endpoint {
    type Err = ParseEndpointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = || ParseEndpointError(text.to_owned());
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
        Ok(Self {
            registry,
            plain_http,
        })
    }
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
}
