//! One registry of ECR: an account in a region.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use aws_sdk_ecr::config::retry::RetryConfig;
use tracing::debug;

use super::creation::{FIRST_PAUSE, Unfinished};
use super::host::with_account;
use super::token_cache::TokenCache;
use super::{Error, Token};
use crate::aws;
use crate::image::Registry;
use crate::registry::{Credentials, CredentialsError, Endpoint, Login};

/// ECR's API in one account and region. Clones share connections and the authorization token.
#[derive(Clone)]
pub struct Ecr {
    pub(super) client: aws_sdk_ecr::Client,
    /// The same, but for requests that must not be repeated unseen.
    pub(super) client_without_retries: aws_sdk_ecr::Client,
    /// The account whose registry it is; the caller's own where this is absent.
    pub(super) account_id: Option<String>,
    pub(super) unfinished: Unfinished,
    /// The pause before a request is repeated for the first time.
    pub(super) first_pause: Duration,
    region: Arc<str>,
    tokens: Arc<TokenCache>,
}

impl fmt::Debug for Ecr {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Ecr")
            .field("account_id", &self.account_id)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

impl Ecr {
    /// The registry of this account, or of the session's own, in the session's region.
    pub fn new(session: &aws::Session, account_id: Option<String>) -> Self {
        let config = aws_sdk_ecr::config::Builder::from(session.config());
        let once = config.retry_config(RetryConfig::disabled()).build();
        Self {
            client: aws_sdk_ecr::Client::new(session.config()),
            client_without_retries: aws_sdk_ecr::Client::from_conf(once),
            account_id,
            unfinished: Unfinished::default(),
            first_pause: FIRST_PAUSE,
            region: session.region().into(),
            tokens: Arc::new(TokenCache::default()),
        }
    }

    /// An authorization token: it opens every registry in the region to which these credentials
    /// have access. Kept, and renewed once half of its life is over.
    pub async fn token(&self) -> Result<Arc<Token>, Error> {
        self.tokens.token(|| self.fetch_token()).await
    }

    /// Where the registry is: what ECR says of it, never a host made up here, because partitions,
    /// FIPS and dual-stack all have their own.
    pub async fn registry(&self) -> Result<Endpoint, Error> {
        let endpoint = &self.token().await?.proxy_endpoint;
        Ok(match &self.account_id {
            Some(account_id) => with_account(endpoint, account_id),
            None => endpoint.clone(),
        })
    }

    async fn fetch_token(&self) -> Result<Token, Error> {
        let region = self.region.to_string();
        let start = Instant::now();
        let output = self.client.get_authorization_token().send().await;
        debug!(region, elapsed = ?start.elapsed(), ok = output.is_ok(), "ecr GetAuthorizationToken");
        let output = output.map_err(|error| Error::Token {
            region: region.clone(),
            source: aws::Error::from_sdk("ecr", "GetAuthorizationToken", error),
        })?;
        let token = Token::read(output.authorization_data().first());
        token.map_err(|reason| Error::UnusableToken { region, reason })
    }
}

/// Answers for whichever registry it is asked about: a keyring asks it only about those that take
/// these credentials' token.
#[async_trait]
impl Credentials for Ecr {
    async fn login(&self, registry: &Registry) -> Result<Option<Login>, CredentialsError> {
        self.tokens.login(registry, || self.fetch_token()).await
    }

    async fn refused(&self, _registry: &Registry, login: &Login) {
        self.tokens.forget(login).await;
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;
    use serde_json::{Value, json};

    use super::super::stand_in::{StandIn, refusal, token};
    use super::*;
    use crate::failure::{Failure as _, Kind, chain};

    /// In the year 2100.
    const LATER: u64 = 4_102_444_800;
    /// In the year 2015, as moto has it.
    const LONG_AGO: u64 = 1_420_070_400;

    #[tokio::test]
    async fn asks_for_one_token() {
        for expires_at in [LATER, LONG_AGO] {
            let api = StandIn::answering([token("one", expires_at)]).await;
            let ecr = api.ecr(None);
            let (first, second) = tokio::join!(ecr.token(), ecr.token());
            assert!(Arc::ptr_eq(&first.unwrap(), &second.unwrap()));
            ecr.clone().token().await.unwrap();
            assert_eq!(api.calls().len(), 1);
        }
    }

    #[tokio::test]
    async fn the_registry_is_where_the_token_says() {
        for (account_id, registry) in [
            (None, "https://123456789012.dkr.ecr.eu-west-1.amazonaws.com"),
            (
                Some("210987654321"),
                "https://210987654321.dkr.ecr.eu-west-1.amazonaws.com",
            ),
        ] {
            let api = StandIn::answering([token("one", LATER)]).await;
            let endpoint = api.ecr(account_id).registry().await.unwrap();
            assert_eq!(endpoint.to_string(), registry);
        }
    }

    #[tokio::test]
    async fn says_why_there_is_no_token() {
        let xml = "<ErrorResponse><Errors><Error><Code>InvalidClientTokenId</Code>\
                   <Message>The security token is invalid.</Message></Error></Errors>\
                   </ErrorResponse>";
        let answers = [
            refusal(
                "AccessDeniedException",
                "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: \
                 ecr:GetAuthorizationToken on resource: * because no identity-based policy allows",
            ),
            refusal(
                "UnrecognizedClientException",
                "The security token is invalid.",
            ),
            refusal("ExpiredTokenException", "The security token has expired"),
            refusal("ThrottlingException", "Rate exceeded"),
            refusal("InvalidParameterException", "Something is wrong"),
            (
                500,
                json!({"__type": "ServerException", "message": "Sorry"}),
            ),
            (403, Value::from(xml)),
            (502, Value::from("<html>Bad gateway</html>")),
            (200, Value::from("<html>Log in to the network</html>")),
            (200, json!({"authorizationData": []})),
        ];
        let mut told = Vec::new();
        for answer in answers {
            let api = StandIn::answering([answer]).await;
            told.push(tell(&api.ecr(None).token().await.unwrap_err()));
        }
        let nobody = Ecr::new(&aws::Session::at("http://127.0.0.1:1"), None);
        told.push(tell(&nobody.token().await.unwrap_err()));
        let nowhere = Ecr::new(&aws::Session::at("127.0.0.1"), None);
        told.push(tell(&nowhere.token().await.unwrap_err()));
        insta::assert_snapshot!(told.join("\n\n"));
    }

    fn tell(error: &Error) -> String {
        let hint = error.hint().unwrap_or_default();
        format!("{}\n{:?}: {hint}", chain(error), error.kind())
    }

    fn password(login: &Login) -> &str {
        match login {
            Login::Password { password, .. } => password.expose_secret(),
            Login::IdentityToken(_) => panic!("ECR gives a password"),
        }
    }

    #[tokio::test]
    async fn a_refusal_gets_one_new_token() {
        let denied = refusal("AccessDeniedException", "no");
        let api = StandIn::answering([token("one", LATER), token("two", LATER), denied]).await;
        let registry = "127.0.0.1:5000".parse().unwrap();
        let credentials = api.ecr(None);

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
}
