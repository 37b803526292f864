//! What the user can do about an error of AWS's.

use std::error::Error as StdError;

use super::Error;
use super::answer::Answer;
use crate::failure::{Failure, Kind, chain};

const LOG_IN_AGAIN: &str = "the AWS session has ended: log in again (`aws sso login` where \
                            the profile uses it) and run the same command";

const LOOKED_FOR: &str = "looked for `AWS_ACCESS_KEY_ID` in the environment, a profile in \
                          `~/.aws/config` and `~/.aws/credentials`, a web identity token, \
                          container credentials and the EC2 instance's role; set one of them, or \
                          log in with `aws sso login`";

const NOT_AWS: &str = "something that is not AWS may have answered: check `AWS_ENDPOINT_URL` and \
                       `HTTPS_PROXY`";

const CHECK_THE_NETWORK: &str = "check the network, the region, `AWS_ENDPOINT_URL` and \
                                 `HTTPS_PROXY`; a subnet without internet access needs VPC \
                                 endpoints for AWS's services";

const CHECK_THE_SIGNATURE: &str = "check the secret access key, and this machine's clock, which AWS \
 compares with its own";

impl Failure for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::MissingRegion
            | Self::MissingProfile { .. }
            | Self::Profiles { .. }
            | Self::Setting { .. }
            | Self::RootCertificates { .. }
            | Self::NoRootCertificates { .. }
            | Self::Request { .. } => Kind::Configuration,
            Self::NoCredentials { .. } => Kind::Refused,
            Self::Credentials { kind, .. } => *kind,
            Self::Unreachable { .. } => Kind::Unreachable,
            Self::Garbled { .. } => Kind::Transient,
            Self::Refused { answer, .. } => answer.kind(),
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::MissingRegion => {
                "set `destination.region`, the variable `AWS_REGION`, or `region` in the AWS profile"
                    .to_owned()
            }
            Self::MissingProfile { known, .. } if known.is_empty() => {
                "there are no profiles in `~/.aws/config` and `~/.aws/credentials`; unset the \
                 profile to use the environment's credentials"
                    .to_owned()
            }
            Self::MissingProfile { known, .. } => format!("there are: `{}`", known.join("`, `")),
            Self::RootCertificates { .. } => {
                "`AWS_CA_BUNDLE` names a PEM file of root certificates that are trusted beside the \
                 system's"
                    .to_owned()
            }
            Self::NoRootCertificates { .. } => {
                "install the package `ca-certificates`, or name a PEM file of root certificates in \
                 `SSL_CERT_FILE`"
                    .to_owned()
            }
            Self::NoCredentials {
                profile: Some(profile),
                ..
            } => format!(
                "add credentials to `{profile}` in `~/.aws/config` or `~/.aws/credentials`, or name \
                 no profile to use those of the environment"
            ),
            Self::NoCredentials { profile: None, .. } => LOOKED_FOR.to_owned(),
            Self::Credentials {
                kind: Kind::Unreachable,
                ..
            } => CHECK_THE_NETWORK.to_owned(),
            Self::Credentials { source, .. } => credentials_hint(&source.to_string()),
            Self::Unreachable { source, .. } => unreachable_hint(&**source),
            Self::Request { .. } => "check `AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_ECR`, \
                                     `AWS_USE_FIPS_ENDPOINT` and `AWS_USE_DUALSTACK_ENDPOINT`, and \
                                     their like in the AWS profile"
                .to_owned(),
            Self::Garbled { .. } => NOT_AWS.to_owned(),
            Self::Refused {
                service,
                operation,
                answer,
            } => answer_hint(service, operation, answer)?,
            Self::Profiles { .. } | Self::Setting { .. } => return None,
        };
        Some(hint)
    }
}

fn credentials_hint(cause: &str) -> String {
    let no_session = cause.contains("SSO") || cause.contains("sso/cache");
    if no_session || cause.contains("xpired") {
        return LOG_IN_AGAIN.to_owned();
    }
    // The EC2 instance's metadata are the last that is asked, when nothing else was found.
    if cause.contains("IMDS") {
        return LOOKED_FOR.to_owned();
    }
    if cause.contains("timed out") {
        return "run `aws sts get-caller-identity` to see what it waits for".to_owned();
    }
    match denied_action(cause) {
        Some(action) => allow(&action),
        None => {
            "check the AWS profile that is used and the variables that begin with `AWS_`".to_owned()
        }
    }
}

fn unreachable_hint(cause: &(dyn StdError + 'static)) -> String {
    if chain(cause).contains("certificate") {
        "a proxy may present its own certificate: set `AWS_CA_BUNDLE` to a PEM file of its \
         root certificate"
            .to_owned()
    } else {
        CHECK_THE_NETWORK.to_owned()
    }
}

fn answer_hint(service: &str, operation: &str, answer: &Answer) -> Option<String> {
    let message = answer.message.as_deref().unwrap_or_default();
    let Some(code) = answer.code.as_deref() else {
        return Some(NOT_AWS.to_owned());
    };
    let hint = match code {
        code if code.starts_with("ExpiredToken") => LOG_IN_AGAIN.to_owned(),
        code if code.starts_with("AccessDenied") => {
            allow(&denied_action(message).unwrap_or_else(|| format!("{service}:{operation}")))
        }
        code if code.starts_with("UnrecognizedClient")
            || code.starts_with("InvalidClientTokenId") =>
        {
            "AWS does not know the access key: check which credentials are used with \
             `aws sts get-caller-identity`"
                .to_owned()
        }
        "RequestExpired" => CHECK_THE_SIGNATURE.to_owned(),
        code if code.starts_with("InvalidSignature")
            || code.starts_with("SignatureDoesNotMatch") =>
        {
            CHECK_THE_SIGNATURE.to_owned()
        }
        "KmsException" => "check that the KMS key exists in this region and that its policy lets \
                           this user or role create grants"
            .to_owned(),
        "SecretNotFoundException"
        | "UnableToAccessSecretException"
        | "UnableToDecryptSecretValueException" => {
            "ECR reads only secrets of the registry's own account and region whose names begin \
             with `ecr-pullthroughcache/`; the secret's policy and its KMS key must let \
             `AWSServiceRoleForECRPullThroughCache` in"
                .to_owned()
        }
        "LimitExceededException" => {
            "ask for a higher quota in AWS Service Quotas, or delete what is not needed".to_owned()
        }
        _ => return None,
    };
    Some(hint)
}

fn allow(action: &str) -> String {
    format!("allow `{action}` to this user or role")
}

/// The action in `... is not authorized to perform: ecr:CreateRepository on resource: ...`.
fn denied_action(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("not authorized to perform: ")?;
    let action = rest.split_whitespace().next()?;
    Some(action.to_owned())
}
