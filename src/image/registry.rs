//! Registry names.

use std::fmt;
use std::str::FromStr;

use super::ParseReferenceError;

/// The registry that a reference without a host means.
pub const DOCKER_HUB: &str = "docker.io";

/// The names of Amazon ECR Public.
const PUBLIC_ECR: [&str; 2] = ["public.ecr.aws", "ecr-public.aws.com"];

/// A registry's name: host with an optional port. `index.docker.io` is `docker.io`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Registry(String);

impl Registry {
    /// Docker Hub.
    pub fn docker_hub() -> Self {
        Self(DOCKER_HUB.to_owned())
    }

    /// Amazon ECR Public.
    pub fn public_ecr() -> Self {
        Self(PUBLIC_ECR[0].to_owned())
    }

    /// Whether this is Docker Hub.
    pub fn is_docker_hub(&self) -> bool {
        self.0 == DOCKER_HUB
    }

    /// Whether this is Amazon ECR Public.
    pub fn is_public_ecr(&self) -> bool {
        PUBLIC_ECR.contains(&self.0.as_str())
    }

    /// The name: host with an optional port.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host without its port.
    pub fn host(&self) -> &str {
        match self.0.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => &self.0,
        }
    }

    /// Whether this registry is on the loopback interface of this machine.
    pub fn is_loopback(&self) -> bool {
        let host = self.host().trim_start_matches('[').trim_end_matches(']');
        host == "localhost"
            || host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    }
}

impl FromStr for Registry {
    type Err = ParseReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = |reason| ParseReferenceError::new(text, "a registry", reason);
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port)),
            _ => (text, None),
        };
        if port.is_some_and(|port| port.parse::<u16>().is_err()) {
            return Err(fail("the registry's port must be a number from 0 to 65535"));
        }
        let host_is_sound = match host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => host.split('.').all(|label| {
                !label.is_empty()
                    && !label.starts_with('-')
                    && !label.ends_with('-')
                    && label
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            }),
        };
        if !host_is_sound {
            return Err(fail(
                "the registry must be a host name with an optional port",
            ));
        }
        Ok(match text {
            "index.docker.io" => Self::docker_hub(),
            other => Self(other.to_owned()),
        })
    }
}

impl fmt::Display for Registry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_loopback() {
        for (registry, loopback) in [
            ("127.0.0.1:5000", true),
            ("localhost", true),
            ("[::1]:5000", true),
            ("10.0.0.1:5000", false),
            ("docker.io", false),
        ] {
            assert_eq!(
                registry.parse::<Registry>().unwrap().is_loopback(),
                loopback,
                "{registry}"
            );
        }
    }
}
