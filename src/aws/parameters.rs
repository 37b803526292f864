//! SSM's Parameter Store.

use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::ParameterType;
use secrecy::{ExposeSecret as _, SecretString};

use super::{Error, Session};

const SERVICE: &str = "ssm";

/// The Parameter Store in a session's account and region.
#[derive(Clone, Debug)]
pub struct Parameters {
    client: Client,
}

impl Parameters {
    /// The Parameter Store as this session sees it.
    pub fn new(session: &Session) -> Self {
        Self {
            client: Client::new(session.config()),
        }
    }

    /// The value of a parameter by name or ARN, decrypted.
    pub async fn value(&self, name: &str) -> Result<SecretString, Error> {
        let get = self.client.get_parameter().name(name).with_decryption(true);
        let output = get.send().await;
        let output = output.map_err(|error| Error::from_sdk(SERVICE, "GetParameter", error))?;
        let value = output.parameter.and_then(|parameter| parameter.value);
        Ok(value.unwrap_or_default().into())
    }

    /// Writes an encrypted parameter, whether or not it exists.
    pub async fn put(&self, name: &str, value: &SecretString) -> Result<(), Error> {
        let put = self.client.put_parameter().name(name);
        let answer = put
            .value(value.expose_secret())
            .r#type(ParameterType::SecureString)
            .overwrite(true)
            .send()
            .await;
        answer
            .map(drop)
            .map_err(|error| Error::from_sdk(SERVICE, "PutParameter", error))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{StandIn, refusal};
    use super::*;
    use crate::failure::Failure as _;

    #[tokio::test]
    async fn a_parameter_is_kept() {
        let found = (200, json!({"Parameter": {"Value": "one"}}));
        let missing = refusal("ParameterNotFound", "");
        let api = StandIn::answering([(200, json!({"Version": 1})), found, missing]).await;
        let parameters = Parameters::new(&api.session());
        parameters.put("/hub", &"one".into()).await.unwrap();
        let value = parameters.value("/hub").await.unwrap();
        assert_eq!(value.expose_secret(), "one");
        let error = parameters.value("/none").await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "ssm GetParameter failed: `ParameterNotFound`"
        );
        assert!(!error.kind().is_retryable());
        insta::assert_json_snapshot!(api.calls());
    }
}
