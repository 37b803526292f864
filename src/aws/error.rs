//! What AWS answered, in words: the SDK's own errors print as `service error`.

use std::error::Error as StdError;

use aws_config::profile::ProfileFileLoadError;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_ecr::error::{ConnectorError, ProvideErrorMetadata, SdkError};
use tracing::debug;

use super::Answer;
use super::causes::{find, innermost, readable};
use crate::failure::Kind;

/// Why, in somebody else's words.
type Cause = Box<dyn StdError + Send + Sync>;

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
    /// The root certificates cannot be used.
    #[error("the root certificates for AWS (`AWS_CA_BUNDLE`) cannot be used: {reason}")]
    RootCertificates {
        /// What is wrong with them.
        reason: String,
    },
    /// No credentials were found.
    #[error("{service} {operation} failed: no AWS credentials were found")]
    NoCredentials {
        /// The AWS service: `ecr`.
        service: &'static str,
        /// The operation: `CreateRepository`.
        operation: &'static str,
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
        if let Some(error) = find::<CredentialsError>(&*source) {
            return Self::from_credentials(service, operation, error);
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
        if matches!(error, CredentialsError::CredentialsNotLoaded(_)) {
            return Self::NoCredentials { service, operation };
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
        let told = [
            CredentialsError::not_loaded_no_source(),
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
            let cause = error.source().map(ToString::to_string);
            let (kind, hint) = (error.kind(), error.hint());
            let [cause, hint] = [cause, hint].map(Option::unwrap_or_default);
            format!("{error}: {cause}\n{kind:?}: {hint}")
        });
        insta::assert_snapshot!(told.join("\n\n"));
    }
}
