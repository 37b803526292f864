//! The token as a registry's client asks for it.

use async_trait::async_trait;

use super::Ecr;
use crate::image::Registry;
use crate::registry::{Credentials, CredentialsError, Login};

/// Answers for one registry with ECR's token, and for every other with nothing.
#[derive(Clone, Debug)]
pub struct EcrCredentials {
    ecr: Ecr,
    registry: Registry,
}

impl EcrCredentials {
    /// Credentials for this registry alone: where the token says, or where the user put it.
    pub fn new(ecr: Ecr, registry: Registry) -> Self {
        Self { ecr, registry }
    }
}

#[async_trait]
impl Credentials for EcrCredentials {
    async fn login(&self, registry: &Registry) -> Result<Option<Login>, CredentialsError> {
        if *registry != self.registry {
            return Ok(None);
        }
        match self.ecr.token().await {
            Ok(token) => Ok(Some(token.login.clone())),
            Err(error) => Err(CredentialsError {
                registry: registry.clone(),
                cause: Box::new(error),
            }),
        }
    }

    async fn refused(&self, registry: &Registry, login: &Login) {
        if *registry == self.registry {
            self.ecr.forget(login).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::super::stand_in::{StandIn, refusal, token};
    use super::*;
    use crate::failure::{Failure as _, Kind};

    fn password(login: &Login) -> &str {
        match login {
            Login::Password { password, .. } => password.expose_secret(),
            Login::IdentityToken(_) => panic!("ECR gives a password"),
        }
    }

    #[tokio::test]
    async fn a_refusal_gets_one_new_token() {
        let later = 4_102_444_800;
        let denied = refusal("AccessDeniedException", "no");
        let api = StandIn::answering([token("one", later), token("two", later), denied]).await;
        let registry: Registry = "127.0.0.1:5000".parse().unwrap();
        let credentials = EcrCredentials::new(api.ecr(None), registry.clone());

        let one = credentials.login(&registry).await.unwrap().unwrap();
        let again = credentials.login(&registry).await.unwrap().unwrap();
        assert_eq!((password(&one), password(&again)), ("one", "one"));

        credentials.refused(&registry, &one).await;
        let two = credentials.login(&registry).await.unwrap().unwrap();
        credentials.refused(&registry, &one).await;
        let again = credentials.login(&registry).await.unwrap().unwrap();
        assert_eq!((password(&two), password(&again)), ("two", "two"));
        assert_eq!(api.calls().len(), 2);

        credentials.refused(&registry, &two).await;
        let error = credentials.login(&registry).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Refused);
    }

    #[tokio::test]
    async fn the_token_goes_to_no_other_registry() {
        let api = StandIn::answering([]).await;
        let credentials = EcrCredentials::new(api.ecr(None), "127.0.0.1:5000".parse().unwrap());
        let elsewhere = credentials.login(&"ghcr.io".parse().unwrap()).await;
        assert!(elsewhere.unwrap().is_none());
        assert_eq!(api.calls(), []);
    }
}
