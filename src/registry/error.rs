//! Why a registry did not do what was asked.

use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;

use super::hint::{hint, tls_error};
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
    #[error("`{host}` was silent for {} seconds", limit.as_secs())]
    Stalled {
        /// Host with an optional port.
        host: String,
        /// How long it could have been.
        limit: Duration,
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
    /// A blob's bytes are not those that were asked for. Another time they may be: something on
    /// the way spoiled or cut them.
    #[error("`{host}` sent {actual} instead of {expected}")]
    Spoiled {
        /// Host with an optional port.
        host: String,
        /// The digest or size asked for.
        expected: String,
        /// The digest or size received.
        actual: String,
    },
    /// The connection was closed where an upload was to begin. ECR does so, instead of an answer,
    /// when the repository does not exist.
    #[error("`{host}` closed the connection instead of taking the upload")]
    NoUpload {
        /// Host with an optional port.
        host: String,
        /// What went wrong.
        source: reqwest::Error,
    },
    /// What was to be uploaded has another size than was said.
    #[error("what is uploaded has {actual} instead of {expected} bytes")]
    WrongLength {
        /// The size that was said, in bytes.
        expected: u64,
        /// The size so far, in bytes.
        actual: u64,
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
            Self::Broken { .. }
            | Self::Stalled { .. }
            | Self::Spoiled { .. }
            | Self::NoUpload { .. } => Kind::Transient,
            Self::Mismatch { .. }
            | Self::WrongLength { .. }
            | Self::TooLarge { .. }
            | Self::UnknownAlgorithm { .. }
            | Self::Malformed { .. }
            | Self::Unencrypted { .. } => Kind::Permanent,
            Self::Certificates(_) => Kind::Configuration,
        }
    }

    /// Whether the same request may succeed within seconds.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Answered(answer) => answer.is_transient() && !answer.is_pull_limit(),
            Self::Unreachable { source, .. } => tls_error(source).is_none(),
            Self::Broken { .. } | Self::Stalled { .. } | Self::NoUpload { .. } => true,
            _ => false,
        }
    }

    /// Whether the registry wants requests to be slower.
    pub(super) fn is_throttle(&self) -> bool {
        self.answer().is_some_and(Answer::is_throttle)
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
        hint(self.registry.as_ref(), &self.cause)
    }
}
