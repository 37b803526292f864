//! How a registry wants to be convinced.

use reqwest::StatusCode;
use url::Url;

use super::challenge::Challenge;
use super::token::TokenService;
use super::transport::{Transport, host};
use super::{Answer, Cause};

/// What goes along with every request.
pub(super) enum Scheme {
    /// Nothing.
    Open,
    /// A name and a password.
    Basic,
    /// A token.
    Bearer(TokenService),
}

impl Scheme {
    /// The scheme and the scope that an answer of the registry at `url` asks for; `None` where it
    /// asks for none.
    pub(super) fn asked_by(
        answer: &Answer,
        url: &Url,
        transport: &Transport,
    ) -> Result<Option<(Self, Option<String>)>, Cause> {
        if answer.foreign || answer.status != StatusCode::UNAUTHORIZED {
            return Ok(None);
        }
        Ok(match answer.challenges.first() {
            Some(Challenge::Bearer {
                realm,
                service,
                scope,
            }) => {
                let realm = Url::parse(realm).map_err(|_| Cause::Malformed {
                    host: host(url),
                    what: "names its token service by a malformed URL",
                })?;
                transport.stay_encrypted(url, &realm)?;
                let service = service.clone();
                let service = TokenService { realm, service };
                Some((Self::Bearer(service), scope.clone()))
            }
            Some(Challenge::Basic) => Some((Self::Basic, None)),
            None => None,
        })
    }
}
