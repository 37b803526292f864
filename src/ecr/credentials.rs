//! The token as a registry's client asks for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::sync::Mutex;

use super::{Ecr, Token};
use crate::image::Registry;
use crate::registry::{Credentials, CredentialsError, Login};

/// Questions that come together, after several requests were refused at once, get one new token.
const ONE_REFUSAL: Duration = Duration::from_secs(1);

/// Answers for one registry with ECR's token, and for every other with nothing. A second question
/// means that the token was refused, and gets a new one.
pub struct EcrCredentials {
    ecr: Ecr,
    registry: Registry,
    given: Mutex<Option<Given>>,
}

struct Given {
    token: Arc<Token>,
    renewed: Option<Instant>,
}

impl EcrCredentials {
    /// Credentials for this registry alone.
    pub fn new(ecr: Ecr, registry: Registry) -> Self {
        Self {
            ecr,
            registry,
            given: Mutex::default(),
        }
    }
}

#[async_trait]
impl Credentials for EcrCredentials {
    async fn login(&self, registry: &Registry) -> Result<Option<Login>, CredentialsError> {
        if *registry != self.registry {
            return Ok(None);
        }
        let mut given = self.given.lock().await;
        let answer = match &*given {
            None => self.ecr.token().await,
            Some(given) if given.renewed.is_some_and(|at| at.elapsed() < ONE_REFUSAL) => {
                return Ok(Some(given.token.login.clone()));
            }
            Some(given) => self.ecr.token_after(&given.token).await,
        };
        let token = answer.map_err(|error| CredentialsError {
            registry: registry.clone(),
            cause: Box::new(error),
        })?;
        let login = token.login.clone();
        let renewed = given.is_some().then(Instant::now);
        *given = Some(Given { token, renewed });
        Ok(Some(login))
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::super::stand_in::{StandIn, refusal, token};
    use super::*;
    use crate::failure::{Failure as _, Kind};

    async fn password(credentials: &EcrCredentials) -> String {
        let login = credentials.login(&credentials.registry).await.unwrap();
        let Some(Login::Password { password, .. }) = login else {
            panic!("ECR gives a password");
        };
        password.expose_secret().to_owned()
    }

    #[tokio::test]
    async fn a_refusal_gets_one_new_token() {
        let later = 4_102_444_800;
        let denied = refusal("AccessDeniedException", "no");
        let api = StandIn::answering([token("one", later), token("two", later), denied]).await;
        let ecr = api.ecr(None);
        let registry: Registry = "127.0.0.1:5000".parse().unwrap();
        let credentials = EcrCredentials::new(ecr.clone(), registry.clone());

        let elsewhere = credentials.login(&"ghcr.io".parse().unwrap()).await;
        assert!(elsewhere.unwrap().is_none());
        assert_eq!(password(&credentials).await, "one");
        assert_eq!(password(&credentials).await, "two");
        assert_eq!(password(&credentials).await, "two");
        assert_eq!(api.calls().len(), 2);

        let others = EcrCredentials::new(ecr.clone(), registry);
        assert_eq!(password(&others).await, "two");
        let error = others.login(&others.registry).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Refused);
        assert_eq!(api.calls().len(), 3);
    }
}
