//! Amazon ECR Public: who we are there.

use std::sync::Arc;

use async_trait::async_trait;
use tracing::debug;

use super::token_cache::TokenCache;
use super::{Error, Token};
use crate::aws;
use crate::image::Registry;
use crate::registry::{Credentials, CredentialsError, Login};

/// ECR Public's authorization tokens: `public.ecr.aws` is written to with them. Reading needs none.
#[derive(Clone)]
pub struct PublicEcr {
    client: aws_sdk_ecrpublic::Client,
    tokens: Arc<TokenCache>,
}

impl PublicEcr {
    /// The only region whose API gives tokens (amazon-ecr-credential-helper,
    /// `ecr-login/api/factory.go`).
    pub const REGION: &str = "us-east-1";

    /// The tokens of this session, whose region must be [`PublicEcr::REGION`].
    pub fn new(session: &aws::Session) -> Self {
        Self {
            client: aws_sdk_ecrpublic::Client::new(session.config()),
            tokens: Arc::default(),
        }
    }

    async fn fetch_token(&self) -> Result<Token, Error> {
        let region = Self::REGION.to_owned();
        let output = self.client.get_authorization_token().send().await;
        debug!(ok = output.is_ok(), "ecr-public GetAuthorizationToken");
        let output = output.map_err(|error| Error::Token {
            region: region.clone(),
            source: aws::Error::from_sdk("ecr-public", "GetAuthorizationToken", error),
        })?;
        let token = Token::read_public(output.authorization_data());
        token.map_err(|reason| Error::UnusableToken { region, reason })
    }
}

#[async_trait]
impl Credentials for PublicEcr {
    async fn login(&self, registry: &Registry) -> Result<Option<Login>, CredentialsError> {
        self.tokens.login(registry, || self.fetch_token()).await
    }

    async fn refused(&self, _registry: &Registry, login: &Login) {
        self.tokens.forget(login).await;
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use secrecy::ExposeSecret as _;
    use serde_json::{Value, json};

    use super::super::stand_in::{StandIn, refusal};
    use super::*;
    use crate::failure::{Failure as _, Kind, chain};

    fn token(password: &str) -> (u16, Value) {
        let data = json!({
            "authorizationToken": STANDARD.encode(format!("AWS:{password}")),
            "expiresAt": 4_102_444_800_u64,
        });
        (200, json!({"authorizationData": data}))
    }

    fn password(login: &Login) -> &str {
        match login {
            Login::Password { username, password } if username == "AWS" => password.expose_secret(),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn asks_for_one_token_until_it_is_refused() {
        let api = StandIn::answering([token("one"), token("two")]).await;
        let (ecr, registry) = (PublicEcr::new(&api.session()), Registry::public_ecr());
        let one = ecr.login(&registry).await.unwrap().unwrap();
        let again = ecr.login(&registry).await.unwrap().unwrap();
        assert_eq!([&one, &again].map(password), ["one", "one"]);
        ecr.refused(&registry, &one).await;
        let two = ecr.login(&registry).await.unwrap().unwrap();
        assert_eq!(password(&two), "two");
        let asked = ("GetAuthorizationToken".to_owned(), json!({}));
        assert_eq!(api.calls(), [asked.clone(), asked]);
    }

    #[tokio::test]
    async fn says_why_there_is_no_token() {
        let denied = refusal(
            "AccessDeniedException",
            "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: \
             ecr-public:GetAuthorizationToken on resource: * because no identity-based policy \
             allows",
        );
        let api = StandIn::answering([denied, (200, json!({}))]).await;
        let (ecr, registry) = (PublicEcr::new(&api.session()), Registry::public_ecr());
        let refused = ecr.login(&registry).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Refused);
        let empty = ecr.login(&registry).await.unwrap_err();
        insta::assert_snapshot!(format!(
            "{}\n{}\n\n{}",
            chain(&refused),
            refused.hint().unwrap_or_default(),
            chain(&empty)
        ));
    }
}
