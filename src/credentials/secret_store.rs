//! Secrets that AWS keeps, read when somebody needs them.

use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::Error;
use crate::aws::{self, Parameters, Secrets, Session};
use crate::config::StoredSecret;
use crate::once::Once;
use crate::registry::Login;

/// Reads the secrets that AWS keeps, each once. Nobody is asked before a secret is wanted.
#[derive(Debug, Default)]
pub struct SecretStore {
    options: aws::Options,
    /// Sessions by region; that of the options is where no region is named.
    sessions: Once<Option<String>, Session>,
    values: Once<StoredSecret, SecretString>,
}

impl SecretStore {
    /// Secrets of whoever these options say. Where a secret's ARN names a region, that one counts.
    pub fn new(options: aws::Options) -> Self {
        Self {
            options,
            ..Self::default()
        }
    }

    /// This store, with a session of the same options that is open already.
    pub fn with_session(self, session: &Session) -> Self {
        for region in [None, Some(session.region().to_owned())] {
            self.sessions.put(region, session.clone());
        }
        self
    }

    /// The text of a secret.
    pub async fn value(&self, secret: &StoredSecret) -> Result<SecretString, Error> {
        let cell = self.values.cell(secret.clone());
        let value = cell.get_or_try_init(|| self.read(secret)).await?;
        Ok(value.clone())
    }

    /// The login in a secret: a plain password, or the JSON that ECR's pull-through cache reads. A
    /// name that the file has goes before that in the JSON.
    pub async fn login(
        &self,
        username: Option<&str>,
        secret: &StoredSecret,
    ) -> Result<Login, Error> {
        let value = self.value(secret).await?;
        let json: Option<Value> = serde_json::from_str(value.expose_secret()).ok();
        let fields = json.as_ref().and_then(Value::as_object);
        let field = |name: &str| {
            let text = fields?.get(name)?.as_str();
            text.filter(|text| !text.is_empty())
        };
        let password = if fields.is_some() {
            let token = field("accessToken").ok_or_else(|| Error::NoAccessToken {
                secret: secret.clone(),
            })?;
            SecretString::from(token)
        } else {
            // A file that was put into a secret often ends its line.
            value.expose_secret().trim_end_matches(['\r', '\n']).into()
        };
        let username = username.or_else(|| field("username"));
        let username = username.ok_or_else(|| Error::NoUsername {
            secret: secret.clone(),
        })?;
        Ok(Login::Password {
            username: username.to_owned(),
            password,
        })
    }

    async fn read(&self, secret: &StoredSecret) -> Result<SecretString, Error> {
        let region = secret.region().map(str::to_owned);
        let cell = self.sessions.cell(region.clone());
        let session = cell.get_or_try_init(|| self.open(region));
        let session = session.await.map_err(|source| Error::UnreadableSecret {
            secret: secret.clone(),
            region: None,
            source: Arc::new(source),
        })?;
        let read = match secret {
            StoredSecret::SecretsManager(id) => Secrets::new(session).value(id).await,
            StoredSecret::Parameter(name) => Parameters::new(session).value(name).await.map(Some),
        };
        let value = read.map_err(|source| Error::UnreadableSecret {
            secret: secret.clone(),
            region: Some(session.region().to_owned()),
            source: Arc::new(source),
        })?;
        let value = value.filter(|value| !value.expose_secret().is_empty());
        value.ok_or_else(|| Error::EmptySecret {
            secret: secret.clone(),
        })
    }

    async fn open(&self, region: Option<String>) -> Result<Session, aws::Error> {
        let options = self.options.clone();
        let region = region.or(options.region);
        Session::load(aws::Options { region, ..options }).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::{StandIn, refusal};
    use crate::failure::{Failure as _, chain};

    fn secret(id: &str) -> StoredSecret {
        StoredSecret::SecretsManager(id.to_owned())
    }

    async fn store(answers: impl IntoIterator<Item = (u16, Value)>) -> (SecretStore, StandIn) {
        let api = StandIn::answering(answers).await;
        let store = SecretStore::default().with_session(&api.session());
        (store, api)
    }

    fn text(value: &str) -> (u16, Value) {
        (200, json!({"SecretString": value}))
    }

    fn show(login: &Login) -> String {
        match login {
            Login::Password { username, password } => {
                format!("{username} {}", password.expose_secret())
            }
            Login::IdentityToken(_) => panic!("a secret gives a password"),
        }
    }

    #[tokio::test]
    async fn a_secret_is_plain_or_that_of_the_cache() {
        let json = r#"{"username": "acme", "accessToken": "t"}"#;
        let parameter = (200, json!({"Parameter": {"Value": "p"}}));
        let (store, api) = store([text("plain\n"), text(json), text("12345"), parameter]).await;
        for (username, secret, expected) in [
            (Some("bot"), secret("plain"), "bot plain"),
            (None, secret("json"), "acme t"),
            (Some("bot"), secret("json"), "bot t"),
            (Some("bot"), secret("number"), "bot 12345"),
            (
                Some("bot"),
                StoredSecret::Parameter("/p".to_owned()),
                "bot p",
            ),
        ] {
            let login = store.login(username, &secret).await.unwrap();
            assert_eq!(show(&login), expected);
        }
        assert_eq!(api.calls().len(), 4);
    }

    #[tokio::test]
    async fn says_what_is_wrong() {
        let missing = "Secrets Manager can't find the specified secret.";
        let denied = "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: \
                      secretsmanager:GetSecretValue on resource: hub because no policy allows it";
        let marked = "You can't perform this operation on the secret because it was marked for \
                      deletion.";
        let key = "Access to KMS is not allowed";
        let (store, _api) = store([
            refusal("ResourceNotFoundException", missing),
            refusal("AccessDeniedException", denied),
            refusal("InvalidRequestException", marked),
            refusal("DecryptionFailure", key),
            text(r#"{"username": "acme", "password": "p"}"#),
            text("plain"),
            text(""),
            (200, json!({"SecretBinary": "AAAA"})),
            refusal("ParameterNotFound", ""),
        ])
        .await;
        let mut told = Vec::new();
        for name in [
            "missing", "denied", "marked", "key", "json", "plain", "empty", "binary",
        ] {
            told.push(store.login(None, &secret(name)).await.unwrap_err());
        }
        let parameter = StoredSecret::Parameter("/none".to_owned());
        told.push(store.login(Some("bot"), &parameter).await.unwrap_err());
        let told: Vec<String> = told
            .iter()
            .map(|error| {
                let hint = error.hint().unwrap_or_default();
                format!("{}\n{:?}: {hint}", chain(error), error.kind())
            })
            .collect();
        insta::assert_snapshot!(told.join("\n\n"));
    }
}
