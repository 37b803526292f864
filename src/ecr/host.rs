//! The names of ECR's registries.

use crate::image::Registry;
use crate::registry::Endpoint;

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
