//! The names of ECR's registries.

use crate::image::Registry;
use crate::registry::Endpoint;

/// What follows the region in a registry's host, in every partition, as
/// amazon-ecr-credential-helper has it (`ecr-login/api/client.go`).
const SUFFIXES: [&str; 9] = [
    "amazonaws.com",
    "amazonaws.com.cn",
    "amazonaws.eu",
    "on.aws",
    "on.amazonwebservices.com.cn",
    "sc2s.sgov.gov",
    "c2s.ic.gov",
    "cloud.adc-e.uk",
    "csp.hci.ic.gov",
];

/// What the name of a private ECR registry tells: an account in a region.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EcrHost {
    /// Twelve digits.
    pub account_id: String,
    /// The region, to which the registry's authorization tokens belong.
    pub region: String,
}

impl EcrHost {
    /// Reads the name of a registry, FIPS and dual-stack forms included. `None` where it is none of
    /// ECR's own, such as a stand-in's, and for ECR Public, which needs no token.
    pub fn of(registry: &Registry) -> Option<Self> {
        let account_id = account_of(registry)?;
        let rest = &registry.as_str()[account_id.len()..];
        let rest = rest
            .strip_prefix(".dkr.ecr")
            .or_else(|| rest.strip_prefix(".dkr-ecr"))?;
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
fn account_of(registry: &Registry) -> Option<&str> {
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
            ("dkr.ecr.us-east-1.amazonaws.com", Some("us-east-1")),
            ("dkr-ecr.us-east-1.on.aws", Some("us-east-1")),
            ("dkr.ecr-fips.us-west-2.amazonaws.com", Some("us-west-2")),
            ("dkr-ecr-fips.us-west-2.on.aws", Some("us-west-2")),
            ("dkr.ecr.us-gov-west-1.amazonaws.com", Some("us-gov-west-1")),
            ("dkr.ecr.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
            (
                "dkr-ecr.cn-north-1.on.amazonwebservices.com.cn",
                Some("cn-north-1"),
            ),
            (
                "dkr.ecr.eusc-de-east-1.amazonaws.eu",
                Some("eusc-de-east-1"),
            ),
            ("dkr.ecr.us-iso-east-1.c2s.ic.gov", Some("us-iso-east-1")),
            (
                "dkr.ecr.us-isob-east-1.sc2s.sgov.gov",
                Some("us-isob-east-1"),
            ),
            (
                "dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk",
                Some("eu-isoe-west-1"),
            ),
            (
                "dkr.ecr.us-isof-south-1.csp.hci.ic.gov",
                Some("us-isof-south-1"),
            ),
            ("dkr.ecr.amazonaws.com", None),
            ("dkr.ecr.us-east-1.amazonaws.com.evil.example", None),
            ("dkr.ecr.us-east-1.evil.example", None),
            ("dkr.ecr.us.east.1.amazonaws.com", None),
            ("dkr.ecrs.us-east-1.amazonaws.com", None),
            ("dkr.ecr.us-east-1.amazonaws.com:5000", None),
            ("dkr.ecr.eu-west-1.localhost.localstack.cloud:4566", None),
        ] {
            let registry = format!("012345678901.{host}").parse().unwrap();
            let expected = region.map(|region| EcrHost {
                account_id: "012345678901".to_owned(),
                region: region.to_owned(),
            });
            assert_eq!(EcrHost::of(&registry), expected, "{host}");
        }
        for host in [
            "12345678901.dkr.ecr.us-east-1.amazonaws.com",
            "public.ecr.aws",
            "ecr-public.aws.com",
            "docker.io",
            "ghcr.io",
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
            (
                "https://12345678901.dkr.ecr.eu-west-1.amazonaws.com",
                "https://12345678901.dkr.ecr.eu-west-1.amazonaws.com",
            ),
            ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ] {
            let moved = with_account(&endpoint.parse().unwrap(), "210987654321");
            assert_eq!(moved.to_string(), expected);
        }
    }
}
