//! What AWS answered, in words: the SDK's own errors print as `service error`.

use std::error::Error as StdError;
use std::path::PathBuf;

use aws_config::profile::ProfileFileLoadError;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_ecr::error::{ConnectorError, ProvideErrorMetadata, SdkError};
use tracing::debug;

use super::answer::Answer;
use super::causes::{causes, find, innermost, readable};
use super::http_client::NoRootCertificates;
use super::named_profile;
use crate::failure::{Kind, chain};

/// Why, in somebody else's words.
type Cause = Box<dyn StdError + Send + Sync>;

/// What the SDK says when credentials took too long. The type of that error is its own.
const CREDENTIALS_TIMED_OUT: &str = "identity resolver timed out";

/// AWS refused, could not be reached, or could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No region is configured.
    #[error("no AWS region is configured")]
    MissingRegion,
    /// The selected profile is in no AWS configuration file.
    #[error("there is no AWS profile `{profile}`")]
    MissingProfile {
        /// The profile that was asked for.
        profile: String,
        /// The profiles that exist.
        known: Vec<String>,
    },
    /// An AWS configuration file cannot be read.
    #[error("the AWS configuration files cannot be read")]
    Profiles {
        /// Why.
        #[from]
        source: ProfileFileLoadError,
    },
    /// A setting of the AWS SDK is wrong.
    #[error("{origin} is `{value}`, which is not {expected}")]
    Setting {
        /// Where the setting stands.
        origin: String,
        /// What it says.
        value: String,
        /// What it may say.
        expected: &'static str,
    },
    /// The root certificates that the user brings cannot be used.
    #[error("the root certificates in `{path}` (`AWS_CA_BUNDLE`) cannot be used: {reason}")]
    RootCertificates {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// There is nothing to check a server's certificate with.
    #[error("{service} {operation} failed: no root certificates are trusted: {reason}")]
    NoRootCertificates {
        /// The AWS service: `ecr`.
        service: &'static str,
        /// The operation: `CreateRepository`.
        operation: &'static str,
        /// Why there are none.
        reason: String,
    },
    /// No credentials were found.
    #[error("{service} {operation} failed: {}", nobody(profile.as_deref()))]
    NoCredentials {
        /// The AWS service.
        service: &'static str,
        /// The operation.
        operation: &'static str,
        /// The only place where they were looked for: the profile that was asked for by name.
        profile: Option<String>,
    },
    /// Credentials are configured and could not be had.
    #[error("{service} {operation} failed: the AWS credentials could not be loaded")]
    Credentials {
        /// The AWS service.
        service: &'static str,
        /// The operation.
        operation: &'static str,
        /// What kind of failure the cause is.
        kind: Kind,
        /// Why.
        source: Cause,
    },
    /// No answer came.
    #[error("{service} {operation} failed: AWS could not be reached")]
    Unreachable {
        /// The AWS service.
        service: &'static str,
        /// The operation.
        operation: &'static str,
        /// Why.
        source: Cause,
    },
    /// The request could not be made, because of a setting.
    #[error("{service} {operation} failed before it was sent: {reason}")]
    Request {
        /// The AWS service.
        service: &'static str,
        /// The operation.
        operation: &'static str,
        /// Why.
        reason: String,
    },
    /// What came was no answer of AWS's, or not all of it.
    #[error("{service} {operation} failed: the answer (HTTP {status}) cannot be read: {reason}")]
    Garbled {
        /// The AWS service.
        service: &'static str,
        /// The operation.
        operation: &'static str,
        /// The HTTP status.
        status: u16,
        /// Why.
        reason: String,
    },
    /// AWS answered with an error.
    #[error("{service} {operation} failed: {answer}")]
    Refused {
        /// The AWS service.
        service: &'static str,
        /// The operation.
        operation: &'static str,
        /// What it answered.
        answer: Box<Answer>,
    },
}

impl Error {
    /// AWS's name of its refusal: `AccessDeniedException`.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { answer, .. } => answer.code.as_deref(),
            _ => None,
        }
    }

    /// What an operation of the SDK failed with.
    pub fn from_sdk<E>(service: &'static str, operation: &'static str, error: SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        let error = match error {
            SdkError::ServiceError(context) if !context.raw().status().is_success() => {
                let answer = Answer::new(context.err().meta(), context.raw());
                debug!(service, operation, ?answer, "AWS refused");
                return Self::Refused {
                    service,
                    operation,
                    answer: Box::new(answer),
                };
            }
            other => other,
        };
        let is_timeout = matches!(error, SdkError::TimeoutError(_));
        let status = error.raw_response().map(|raw| raw.status().as_u16());
        let source = match error.into_source() {
            Ok(source) => source,
            Err(error) => error.into(),
        };
        if let Some(error) = find::<NoRootCertificates>(&*source) {
            return Self::NoRootCertificates {
                service,
                operation,
                reason: error.to_string(),
            };
        }
        if let Some(error) = find::<CredentialsError>(&*source) {
            return Self::from_credentials(service, operation, error);
        }
        if chain(&*source).contains(CREDENTIALS_TIMED_OUT) {
            return Self::Credentials {
                service,
                operation,
                kind: Kind::Refused,
                source: readable(&*source).into(),
            };
        }
        if let Some(status) = status {
            return Self::Garbled {
                service,
                operation,
                status,
                reason: readable(&*source),
            };
        }
        match source.downcast::<ConnectorError>() {
            Ok(error) if error.is_io() || error.is_timeout() || error.as_other().is_some() => {
                Self::Unreachable {
                    service,
                    operation,
                    source: error.into_source(),
                }
            }
            Ok(error) => Self::Request {
                service,
                operation,
                reason: innermost(&*error),
            },
            Err(source) if is_timeout => Self::Unreachable {
                service,
                operation,
                source,
            },
            Err(source) => Self::Request {
                service,
                operation,
                reason: innermost(&*source),
            },
        }
    }

    fn from_credentials(
        service: &'static str,
        operation: &'static str,
        error: &CredentialsError,
    ) -> Self {
        let mut found = causes(error).filter_map(|cause| cause.downcast_ref::<CredentialsError>());
        if found.any(|error| matches!(error, CredentialsError::CredentialsNotLoaded(_))) {
            let named = find::<named_profile::NoCredentials>(error);
            return Self::NoCredentials {
                service,
                operation,
                profile: named.map(|named| named.profile.clone()),
            };
        }
        let never_arrived = find::<ConnectorError>(error).is_some()
            || matches!(error, CredentialsError::ProviderTimedOut(_));
        Self::Credentials {
            service,
            operation,
            kind: if never_arrived {
                Kind::Unreachable
            } else {
                Kind::Refused
            },
            source: readable(error).into(),
        }
    }
}

fn nobody(profile: Option<&str>) -> String {
    match profile {
        Some(profile) => format!("the AWS profile `{profile}` has no credentials"),
        None => "no AWS credentials were found".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecr::error::ErrorMetadata;
    use aws_sdk_ecr::operation::get_authorization_token::GetAuthorizationTokenError;

    use super::*;
    use crate::failure::Failure as _;

    #[test]
    fn says_what_is_wrong_with_credentials() {
        let denied = ErrorMetadata::builder()
            .code("AccessDenied")
            .message(
                "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: \
                 sts:AssumeRole on resource: arn:aws:iam::210987654321:role/push",
            )
            .build();
        let unreachable = ConnectorError::io("connection refused".into());
        let expired = "the SSO token has expired and cannot be refreshed";
        let loop_of_profiles = "profile formed an infinite loop";
        let without = named_profile::NoCredentials {
            profile: "ci".to_owned(),
        };
        let told = [
            CredentialsError::not_loaded_no_source(),
            CredentialsError::not_loaded(without),
            CredentialsError::provider_error(CredentialsError::not_loaded_no_source()),
            CredentialsError::provider_error(denied),
            CredentialsError::provider_error(expired),
            CredentialsError::provider_error(ErrorMetadata::builder().build()),
            CredentialsError::provider_error(unreachable),
            CredentialsError::provider_timed_out(std::time::Duration::from_secs(5)),
            CredentialsError::invalid_configuration(loop_of_profiles),
        ]
        .map(|error| {
            let failure = ConnectorError::other(error.into(), None);
            let error: SdkError<GetAuthorizationTokenError> = SdkError::dispatch_failure(failure);
            let error = Error::from_sdk("ecr", "GetAuthorizationToken", error);
            let hint = error.hint().unwrap_or_default();
            format!("{}\n{:?}: {hint}", chain(&error), error.kind())
        });
        insta::assert_snapshot!(told.join("\n\n"));
    }
}
