//! Why a registry did not do what was asked.

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;

use super::transport::STALL_TIMEOUT;
use super::{Answer, CredentialsError};
use crate::failure::{Failure, Kind};
use crate::image::Registry;

/// Something could not be done at a registry.
#[derive(Clone, Debug, thiserror::Error)]
#[error("cannot {attempt}")]
pub struct Error {
    registry: Option<Registry>,
    attempt: String,
    #[source]
    cause: Arc<Cause>,
}

/// Why something could not be done at a registry.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The server answered with an error status.
    #[error("{0}")]
    Answered(Box<Answer>),
    /// The login was refused, not only for one repository. No further request was or will be sent
    /// to this registry.
    #[error("{login} is refused: {answer}")]
    LoginRefused {
        /// Whose login.
        login: String,
        /// What the server said.
        answer: Box<Answer>,
    },
    /// Nobody could say who we are at this registry.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// No connection could be made.
    #[error("`{origin}` cannot be reached")]
    Unreachable {
        /// Scheme, host and port.
        origin: String,
        /// What went wrong.
        source: reqwest::Error,
    },
    /// The connection broke.
    #[error("the connection to `{host}` broke")]
    Broken {
        /// Host with an optional port.
        host: String,
        /// What went wrong.
        source: reqwest::Error,
    },
    /// The server fell silent.
    #[error("`{host}` sent nothing for {} seconds", STALL_TIMEOUT.as_secs())]
    Stalled {
        /// Host with an optional port.
        host: String,
    },
    /// The bytes are not those that were asked for.
    #[error("`{host}` sent {actual} instead of {expected}")]
    Mismatch {
        /// Host with an optional port.
        host: String,
        /// The digest or size asked for.
        expected: String,
        /// The digest or size received.
        actual: String,
    },
    /// There are more bytes than such a thing may have.
    #[error("it is larger than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// A digest cannot be verified.
    #[error("the algorithm of `{digest}` is unknown")]
    UnknownAlgorithm {
        /// The digest.
        digest: String,
    },
    /// The server does not follow the protocol.
    #[error("`{host}` {what}")]
    Malformed {
        /// Host with an optional port.
        host: String,
        /// What it does.
        what: &'static str,
    },
    /// Following the server would mean to go on without encryption.
    #[error("`{host}` leads to `{target}`, which is not encrypted")]
    Unencrypted {
        /// Host with an optional port.
        host: String,
        /// Scheme, host and port.
        target: String,
    },
    /// The extra root certificates are no PEM, or TLS cannot be set up.
    #[error("the root certificates are not usable")]
    Certificates(#[source] reqwest::Error),
}

impl Error {
    pub(super) fn new(registry: &Registry, attempt: &str, cause: Arc<Cause>) -> Self {
        Self {
            registry: Some(registry.clone()),
            attempt: attempt.to_owned(),
            cause,
        }
    }

    pub(super) fn setup(source: reqwest::Error) -> Self {
        Self {
            registry: None,
            attempt: "set up HTTPS".to_owned(),
            cause: Arc::new(Cause::Certificates(source)),
        }
    }

    /// The registry; `None` when it had not come to one yet.
    pub fn registry(&self) -> Option<&Registry> {
        self.registry.as_ref()
    }

    /// Why.
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// The HTTP status, where the server answered.
    pub fn status(&self) -> Option<StatusCode> {
        self.cause.answer().map(|answer| answer.status)
    }
}

impl Cause {
    pub(super) fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Answered(answer) | Self::LoginRefused { answer, .. } => Some(answer),
            _ => None,
        }
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Answered(answer) => answer.kind(),
            Self::LoginRefused { .. } => Kind::Refused,
            Self::Credentials(error) => error.kind(),
            Self::Unreachable { .. } => Kind::Unreachable,
            Self::Broken { .. } | Self::Stalled { .. } => Kind::Transient,
            Self::Mismatch { .. }
            | Self::TooLarge { .. }
            | Self::UnknownAlgorithm { .. }
            | Self::Malformed { .. }
            | Self::Unencrypted { .. }
            | Self::Certificates(_) => Kind::Permanent,
        }
    }

    /// Whether the same request may succeed within seconds.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Answered(answer) => answer.is_transient() && !answer.is_pull_limit(),
            Self::Unreachable { source, .. } => tls_error(source).is_none(),
            Self::Broken { .. } | Self::Stalled { .. } => true,
            _ => false,
        }
    }

    /// How long the server asks to wait.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        self.answer()?.retry_after
    }

    /// Whether every later request to this registry would fail in the same way.
    pub(super) fn is_final(&self) -> bool {
        match self {
            Self::LoginRefused { .. } => true,
            Self::Credentials(error) => !error.kind().is_retryable(),
            _ => false,
        }
    }
}

impl Failure for Error {
    fn kind(&self) -> Kind {
        self.cause.kind()
    }

    fn hint(&self) -> Option<String> {
        match &*self.cause {
            Cause::Answered(answer) => answer_hint(self.registry()?, answer),
            Cause::LoginRefused { .. } => Some(where_credentials_are(self.registry()?)),
            Cause::Credentials(error) => error.hint(),
            Cause::Unreachable { origin, source } => Some(unreachable_hint(origin, source)),
            Cause::Unencrypted { .. } => Some(
                "plain HTTP is followed only on loopback; the registry's operator must use `https`"
                    .to_owned(),
            ),
            Cause::Certificates(_) => {
                Some("check the file that AWS_CA_BUNDLE or SSL_CERT_FILE names".to_owned())
            }
            Cause::Broken { .. }
            | Cause::Stalled { .. }
            | Cause::Mismatch { .. }
            | Cause::TooLarge { .. }
            | Cause::UnknownAlgorithm { .. }
            | Cause::Malformed { .. } => None,
        }
    }
}

fn answer_hint(registry: &Registry, answer: &Answer) -> Option<String> {
    if answer.is_pull_limit() {
        return Some(format!(
            "the pull rate limit of `{registry}` is used up: add a login for it under \
             `upstreams`, or wait until the limit's window of 6 hours has passed"
        ));
    }
    if answer.says("HTTP request to an HTTPS server") {
        return Some(format!(
            "`{0}` speaks TLS; write its endpoint as `https://{0}`",
            answer.host
        ));
    }
    if answer.is_refusal() {
        if let Some((action, resource)) = missing_permission(answer) {
            return Some(format!(
                "allow `{action}` on `{resource}` in the IAM policy"
            ));
        }
        let credentials = where_credentials_are(registry);
        return Some(if registry.is_docker_hub() {
            format!(
                "Docker Hub says this also of repositories that do not exist or are private: \
                 check the name; {credentials}"
            )
        } else {
            credentials
        });
    }
    match answer.code.as_deref() {
        Some("NAME_UNKNOWN") => Some("the repository does not exist; create it first".to_owned()),
        // ECR maps every parameter that it rejects to 405.
        Some("UNSUPPORTED") => {
            Some("the registry rejects the manifest itself, not the method".to_owned())
        }
        _ => None,
    }
}

/// From ECR: "User: arn:... is not authorized to perform: ecr:PutImage on resource: arn:... because
/// no identity-based policy allows ...".
fn missing_permission(answer: &Answer) -> Option<(&str, &str)> {
    let message = answer.message.as_deref()?;
    let (_, rest) = message.split_once("is not authorized to perform: ")?;
    let (action, rest) = rest.split_once(' ')?;
    let resource = rest.strip_prefix("on resource: ")?.split(' ').next()?;
    Some((action, resource))
}

fn where_credentials_are(registry: &Registry) -> String {
    format!(
        "credentials for `{registry}` are looked up in the AWS session if it is the destination, \
         then under `upstreams` in the file, then in Docker's configuration \
         (`docker login {registry}`)"
    )
}

fn unreachable_hint(origin: &str, error: &reqwest::Error) -> String {
    let refused = causes(error)
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::ConnectionRefused);
    match tls_error(error) {
        Some(rustls::Error::InvalidMessage(_)) => format!(
            "the server does not speak TLS; if it is meant to, write its endpoint as `{}`",
            origin.replacen("https://", "http://", 1)
        ),
        Some(_) => "if the registry's certificate is from a private authority, name the \
                    authority's PEM file in AWS_CA_BUNDLE or SSL_CERT_FILE"
            .to_owned(),
        None if refused => {
            format!("nothing listens at `{origin}`: check that it runs, and its port")
        }
        None => "check the name, the network and the proxy (HTTPS_PROXY, NO_PROXY)".to_owned(),
    }
}

fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// The TLS error beneath. `io::Error` hides the error that it wraps from `source`.
fn tls_error(error: &reqwest::Error) -> Option<&rustls::Error> {
    causes(error).find_map(|cause| match cause.downcast_ref::<io::Error>() {
        Some(cause) => cause.get_ref()?.downcast_ref(),
        None => cause.downcast_ref(),
    })
}
