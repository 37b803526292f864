//! The shapes of AWS's names.

use crate::ecr::ROOT;

/// A region: `eu-west-1`, `us-gov-west-1`, `eusc-de-east-1`.
pub(super) fn is_region(text: &str) -> bool {
    let mut parts: Vec<&str> = text.split('-').collect();
    let number = parts.pop().unwrap_or_default();
    let word = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    parts.len() >= 2 && parts.iter().all(word) && is_number(number)
}

/// An account: twelve digits.
pub(super) fn is_account(text: &str) -> bool {
    text.len() == 12 && is_number(text)
}

/// The ARN of a role: `arn:aws:iam::123456789012:role/name`.
pub(super) fn is_role_arn(text: &str) -> bool {
    matches!(arn(text), Some(("iam", "", account, resource))
        if is_account(account) && has_name(resource, &["role/"]))
}

/// Somebody in a policy: an account, its root, or a user or role by ARN.
pub(super) fn is_principal(text: &str) -> bool {
    is_account(text)
        || matches!(arn(text), Some(("iam", "", account, resource)) if is_account(account)
            && (resource == "root" || has_name(resource, &["user/", "role/"])))
}

/// A prefix of repository names, as ECR's API reference has it; `ROOT` stands for all names.
pub(super) fn is_prefix(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(is_plain);
    text == ROOT || (2..=30).contains(&text.len()) && text.split(['/', '.', '_', '-']).all(is_word)
}

/// The ARN of a key or of its alias: `arn:aws:kms:eu-west-1:123456789012:key/...`.
pub(super) fn is_kms_arn(text: &str) -> bool {
    matches!(arn(text), Some(("kms", region, account, resource))
        if is_region(region) && is_account(account) && has_name(resource, &["key/", "alias/"]))
}

/// A secret of Secrets Manager: its name, or
/// `arn:aws:secretsmanager:eu-west-1:123456789012:secret:name-AbCdEf`.
pub(super) fn is_secret(text: &str) -> bool {
    let is_arn = matches!(arn(text), Some(("secretsmanager", region, account, resource))
        if is_region(region) && is_account(account) && has_name(resource, &["secret:"]));
    is_arn || is_made_of(text, "/_+=.@!-")
}

/// A parameter of SSM: its name, or `arn:aws:ssm:eu-west-1:123456789012:parameter/name`.
pub(super) fn is_parameter(text: &str) -> bool {
    let is_arn = matches!(arn(text), Some(("ssm", region, account, resource))
        if is_region(region) && is_account(account) && has_name(resource, &["parameter/"]));
    is_arn || is_made_of(text, "/_.-")
}

/// Whether a text is not empty, and holds letters, digits and these only.
fn is_made_of(text: &str, others: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
    !text.is_empty() && text.chars().all(fits)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Service, region, account and resource.
fn arn(text: &str) -> Option<(&str, &str, &str, &str)> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    match parts[..] {
        ["arn", partition, service, region, account, resource]
            if partition == "aws" || partition.starts_with("aws-") =>
        {
            Some((service, region, account, resource))
        }
        _ => None,
    }
}

fn has_name(resource: &str, prefixes: &[&str]) -> bool {
    let sound = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
    prefixes
        .iter()
        .any(|prefix| resource.strip_prefix(prefix).is_some_and(sound))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_every_partition() {
        for region in [
            "eu-west-1",
            "us-gov-west-1",
            "cn-north-1",
            "eusc-de-east-1",
            "us-isob-east-1",
        ] {
            assert!(is_region(region), "{region}");
        }
        for text in ["", "eu-west", "eu_west_1", "EU-WEST-1", "eu-west-1a", "1"] {
            assert!(!is_region(text), "{text}");
        }
        assert!(is_role_arn(
            "arn:aws-us-gov:iam::012345678901:role/path/name"
        ));
        assert!(!is_role_arn("arn:aws:iam::123456789012:user/name"));
        assert!(!is_role_arn("arn:aws:iam::123456789012:role/"));
        assert!(is_kms_arn(
            "arn:aws-cn:kms:cn-north-1:123456789012:alias/ecr"
        ));
        assert!(!is_kms_arn("arn:aws:kms:eu-west-1:1234:key/x"));
        let secret = "secretsmanager:us-gov-west-1:012345678901:secret:a/b-AbCdEf";
        assert!(is_secret(&format!("arn:aws-us-gov:{secret}")));
        assert!(is_secret("ecr-pullthroughcache/docker-hub"));
        assert!(!is_secret("arn:aws:ssm:eu-west-1:012345678901:parameter/a"));
        assert!(is_parameter(
            "arn:aws:ssm:eu-west-1:012345678901:parameter/a"
        ));
        assert!(is_principal("arn:aws-us-gov:iam::012345678901:root"));
        assert!(is_principal("012345678901"));
        assert!(!is_principal("arn:aws:s3:::bucket") && !is_principal("*"));
        for prefix in ["docker-hub", "team/ghcr.io", "ROOT"] {
            assert!(is_prefix(prefix), "{prefix}");
        }
        for text in [
            "a",
            "Docker",
            "hub/",
            "a--b",
            "root but far too long for a prefix",
        ] {
            assert!(!is_prefix(text), "{text}");
        }
        assert!(is_parameter("/docker-hub/token"));
        assert!(!is_parameter("/docker hub"));
    }
}
