//! The names of ECR's registries.

use crate::image::Registry;
use crate::registry::Endpoint;

/// What the host of a private ECR registry says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EcrHost {
    /// The account: twelve digits.
    pub account_id: String,
    /// The region.
    pub region: String,
}

/// What follows the region: the partitions' IPv4 and dual-stack domains
/// (amazon-ecr-credential-helper, `ecr-login/api/client.go`).
const SUFFIXES: [&str; 9] = [
    "amazonaws.com",
    "amazonaws.com.cn",
    "amazonaws.eu",
    "c2s.ic.gov",
    "cloud.adc-e.uk",
    "csp.hci.ic.gov",
    "on.amazonwebservices.com.cn",
    "on.aws",
    "sc2s.sgov.gov",
];

impl EcrHost {
    /// Reads the host of a registry; `None` when it is not a private ECR registry.
    pub fn of(registry: &Registry) -> Option<Self> {
        let account_id = account_of(registry)?;
        let rest = registry.as_str()[account_id.len()..].strip_prefix(".dkr")?;
        let rest = rest.strip_prefix(['.', '-'])?.strip_prefix("ecr")?;
        let rest = rest.strip_prefix("-fips").unwrap_or(rest);
        let (region, suffix) = rest.strip_prefix('.')?.split_once('.')?;
        SUFFIXES.contains(&suffix).then(|| Self {
            account_id: account_id.to_owned(),
            region: region.to_owned(),
        })
    }
}

/// The account at the beginning of a registry's host, which every stand-in for ECR that names
/// one copies.
pub(super) fn account_of(registry: &Registry) -> Option<&str> {
    let (label, _) = registry.as_str().split_once('.')?;
    let is_account = label.len() == 12 && label.bytes().all(|byte| byte.is_ascii_digit());
    is_account.then_some(label)
}

/// The registry of another account in the same place. A host that names no account stays.
pub(super) fn with_account(endpoint: &Endpoint, account_id: &str) -> Endpoint {
    let registry = &endpoint.registry;
    let other = account_of(registry).and_then(|account| {
        let rest = &registry.as_str()[account.len()..];
        format!("{account_id}{rest}").parse().ok()
    });
    Endpoint {
        registry: other.unwrap_or_else(|| registry.clone()),
        plain_http: endpoint.plain_http,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_every_partition() {
        for (host, region) in [
            ("123456789012.dkr.ecr.eu-west-1.amazonaws.com", "eu-west-1"),
            (
                "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
                "us-gov-west-1",
            ),
            ("123456789012.dkr-ecr.us-east-1.on.aws", "us-east-1"),
            ("123456789012.dkr-ecr-fips.us-east-1.on.aws", "us-east-1"),
            (
                "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
                "cn-north-1",
            ),
            (
                "123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn",
                "cn-north-1",
            ),
            (
                "123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu",
                "eusc-de-east-1",
            ),
            (
                "123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov",
                "us-iso-east-1",
            ),
            (
                "123456789012.dkr.ecr.us-isob-east-1.sc2s.sgov.gov",
                "us-isob-east-1",
            ),
            (
                "123456789012.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk",
                "eu-isoe-west-1",
            ),
            (
                "123456789012.dkr.ecr.us-isof-south-1.csp.hci.ic.gov",
                "us-isof-south-1",
            ),
        ] {
            let expected = EcrHost {
                account_id: "123456789012".to_owned(),
                region: region.to_owned(),
            };
            assert_eq!(
                EcrHost::of(&host.parse().unwrap()),
                Some(expected),
                "{host}"
            );
        }
    }

    #[test]
    fn knows_what_is_not_ecr() {
        for host in [
            "docker.io",
            "public.ecr.aws",
            "12345678901.dkr.ecr.eu-west-1.amazonaws.com",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.example",
            "123456789012.dkr.ecr.amazonaws.com",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com:5000",
            "a.123456789012.dkr.ecr.eu-west-1.amazonaws.com",
            "127.0.0.1:5000",
        ] {
            assert_eq!(EcrHost::of(&host.parse().unwrap()), None, "{host}");
        }
    }

    #[test]
    fn puts_another_account_in_front() {
        for (endpoint, expected) in [
            (
                "https://123456789012.dkr.ecr-fips.eu-west-1.amazonaws.com",
                "https://210987654321.dkr.ecr-fips.eu-west-1.amazonaws.com",
            ),
            (
                "http://000000000000.dkr.ecr.eu-west-1.localhost.localstack.cloud:4566",
                "http://210987654321.dkr.ecr.eu-west-1.localhost.localstack.cloud:4566",
            ),
            ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ] {
            let moved = with_account(&endpoint.parse().unwrap(), "210987654321");
            assert_eq!(moved.to_string(), expected);
        }
    }
}
