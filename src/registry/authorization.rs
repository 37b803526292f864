//! What goes along with a request so that its server does it.

use std::sync::Arc;

use reqwest::RequestBuilder;
use secrecy::{ExposeSecret, SecretString};

/// What convinces a server. It goes to the first server only, never along with a redirect.
#[derive(Clone)]
pub(super) enum Authorization {
    Anonymous,
    Basic {
        username: String,
        password: SecretString,
    },
    Bearer(Arc<SecretString>),
}

impl Authorization {
    pub(super) fn apply(&self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Self::Anonymous => request,
            Self::Basic { username, password } => {
                request.basic_auth(username, Some(password.expose_secret()))
            }
            Self::Bearer(token) => request.bearer_auth(token.expose_secret()),
        }
    }

    /// Whether whoever refused the other one has no reason to take this one.
    pub(super) fn is_no_better_than(&self, refused: &Self) -> bool {
        match (self, refused) {
            (Self::Anonymous, _) => true,
            (
                Self::Basic { username, password },
                Self::Basic {
                    username: other,
                    password: refused,
                },
            ) => username == other && password.expose_secret() == refused.expose_secret(),
            _ => false,
        }
    }
}
