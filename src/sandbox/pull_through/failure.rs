//! Why an image could not be fetched from an upstream registry.

use axum::http::StatusCode;

use crate::sandbox::registry::Refusal;
use crate::sandbox::state::State;

/// Why an image could not be fetched.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::sandbox) enum Failure {
    /// The upstream refused the login, or there is none that could be used. A repository that does
    /// not exist looks the same at Docker Hub.
    AccessDenied,
    /// The upstream does not have the image.
    NotFound,
    /// The upstream's limit is reached.
    TooManyRequests,
    /// The upstream does not answer, or not with what it should.
    Unavailable,
    /// The template asks for what needs a role, and names none.
    NotCreated,
}

impl Failure {
    /// The registry's answer to a pull.
    pub(in crate::sandbox) fn refusal(self, state: &State, name: &str) -> Refusal {
        let text = self.text();
        match self {
            // Shown in containers-roadmap#2354 and, as a status, in the user guide.
            Self::AccessDenied => Refusal::new(StatusCode::FORBIDDEN, "DENIED", text),
            Self::NotFound => Refusal::not_found("MANIFEST_UNKNOWN", text),
            Self::NotCreated => {
                Refusal::not_found("NAME_UNKNOWN", state.repository_is_missing(name))
            }
            // No source shows status and code of the other two.
            Self::TooManyRequests => {
                Refusal::new(StatusCode::TOO_MANY_REQUESTS, "TOOMANYREQUESTS", text)
            }
            Self::Unavailable => Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", text),
        }
    }

    /// The code that `BatchGetImage` gives; `None` where it says no more than that the image or its
    /// repository is missing.
    pub(in crate::sandbox) fn code(self) -> Option<&'static str> {
        match self {
            Self::AccessDenied => Some("UpstreamAccessDenied"),
            Self::TooManyRequests => Some("UpstreamTooManyRequests"),
            Self::Unavailable => Some("UpstreamUnavailable"),
            Self::NotFound | Self::NotCreated => None,
        }
    }

    /// The failure in words.
    pub(in crate::sandbox) fn text(self) -> &'static str {
        match self {
            Self::AccessDenied => {
                "The authentication to the upstream registry failed. Verify that the credentials \
                 are correct and try again."
            }
            Self::NotFound => "Requested image not found",
            Self::TooManyRequests => {
                "The upstream registry has too many requests. Try again later."
            }
            Self::Unavailable => "The upstream registry is unavailable. Try again later.",
            Self::NotCreated => "The repository could not be created by its template.",
        }
    }
}
