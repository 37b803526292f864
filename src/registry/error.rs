//! Why a registry did not do what was asked.

use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;

use super::hint::hint;
use super::{Answer, CredentialsError, NetworkError};
use crate::failure::{Failure, Kind};
use crate::image::Registry;

/// Something could not be done at a registry.
#[derive(Clone, Debug, thiserror::Error)]
#[error("cannot {attempt}")]
pub struct Error {
    registry: Option<Registry>,
    attempt: String,
    /// What can be done about credentials.
    remedy: Option<String>,
    #[source]
    cause: Arc<Cause>,
}

/// Why something could not be done at a registry.
#[derive(Debug, thiserror::Error)]
pub(super) enum Cause {
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
    #[error("`{origin}` cannot be reached{}", through(proxy.as_deref()))]
    Unreachable {
        /// Scheme, host and port.
        origin: String,
        /// Scheme, host and port of the proxy that stands before it.
        proxy: Option<String>,
        /// What went wrong.
        source: NetworkError,
    },
    /// The connection broke.
    #[error("the connection to `{host}` broke")]
    Broken {
        /// Host with an optional port.
        host: String,
        /// What went wrong.
        source: NetworkError,
    },
    /// The request has a header that cannot be written.
    #[error("the request cannot be sent")]
    Unsendable(#[source] NetworkError),
    /// The server fell silent.
    #[error("`{host}` was silent for {} seconds", limit.as_secs())]
    Stalled {
        /// Host with an optional port.
        host: String,
        /// How long it could have been.
        limit: Duration,
    },
    /// The server sent what is small in pieces too slowly.
    #[error("`{host}` was not done after {} seconds", limit.as_secs())]
    Slow {
        /// Host with an optional port.
        host: String,
        /// How long it could have taken.
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
        source: NetworkError,
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
    Certificates(#[source] NetworkError),
    /// A variable that should name a proxy does not.
    #[error("`{variable}` names no proxy")]
    Proxy {
        /// The variable.
        variable: &'static str,
    },
}

impl Error {
    pub(super) fn new(registry: &Registry, attempt: &str, cause: Arc<Cause>) -> Self {
        Self {
            registry: Some(registry.clone()),
            attempt: attempt.to_owned(),
            remedy: None,
            cause,
        }
    }

    /// Whether the registry says that it has no such thing.
    pub(super) fn is_missing(&self) -> bool {
        self.cause.answer().is_some_and(Answer::is_missing)
    }

    pub(super) fn with_remedy(self, remedy: Option<String>) -> Self {
        Self { remedy, ..self }
    }

    pub(super) fn setup(cause: Cause) -> Self {
        Self {
            registry: None,
            attempt: "set up HTTPS".to_owned(),
            remedy: None,
            cause: Arc::new(cause),
        }
    }

    /// Whether a manifest was refused because the repository lacks what it names.
    pub fn lacks_blobs(&self) -> bool {
        self.cause.answer().is_some_and(Answer::lacks_blobs)
    }

    /// Why.
    #[cfg(test)]
    pub(super) fn cause(&self) -> &Cause {
        &self.cause
    }

    /// The registry's own code, such as `NAME_UNKNOWN`, where it answered with one.
    pub(super) fn code(&self) -> Option<&str> {
        self.cause.answer()?.code.as_deref()
    }

    /// The HTTP status, where the server answered.
    pub(super) fn status(&self) -> Option<StatusCode> {
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
            | Self::Slow { .. }
            | Self::Spoiled { .. }
            | Self::NoUpload { .. } => Kind::Transient,
            Self::Mismatch { .. }
            | Self::WrongLength { .. }
            | Self::TooLarge { .. }
            | Self::UnknownAlgorithm { .. }
            | Self::Malformed { .. }
            | Self::Unsendable(_)
            | Self::Unencrypted { .. } => Kind::Permanent,
            Self::Certificates(_) | Self::Proxy { .. } => Kind::Configuration,
        }
    }

    /// Whether the same request may succeed within seconds.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Answered(answer) => answer.is_transient() && !answer.is_exhausted(),
            Self::Unreachable { source, .. } => source.tls().is_none(),
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

    /// How long the registry asks to be left alone.
    pub(super) fn rest(&self) -> Option<Duration> {
        self.answer()
            .filter(|answer| answer.asks_for_rest())?
            .retry_after
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

fn through(proxy: Option<&str>) -> String {
    proxy.map_or_else(String::new, |proxy| format!(" through the proxy `{proxy}`"))
}

impl Failure for Error {
    fn kind(&self) -> Kind {
        self.cause.kind()
    }

    fn hint(&self) -> Option<String> {
        hint(self.registry.as_ref(), &self.cause, self.remedy.as_deref())
    }
}
