//! Secrets Manager.

use std::collections::BTreeMap;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretError;
use aws_sdk_secretsmanager::types::Tag;
use secrecy::{ExposeSecret as _, SecretString};

use super::{Error, Session};

const SERVICE: &str = "secretsmanager";

/// Secrets Manager in a session's account and region.
#[derive(Clone, Debug)]
pub struct Secrets {
    client: Client,
}

/// A secret without its value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SecretDescription {
    /// The ARN, which ends in six characters that Secrets Manager chose.
    pub arn: String,
    /// Whether it is to be deleted: it can be restored and not read, and its name is taken.
    pub is_deleted: bool,
    /// Whether it has a value.
    pub has_value: bool,
    /// Words for whoever finds it.
    pub description: Option<String>,
    /// The KMS key that encrypts it; absent for the key that AWS manages.
    pub kms_key_id: Option<String>,
    /// Resource tags.
    pub tags: BTreeMap<String, String>,
}

/// A secret that is to be created.
#[derive(Clone, Debug)]
pub struct NewSecret {
    /// Its name.
    pub name: String,
    /// Words for whoever finds it.
    pub description: String,
    /// Its value.
    pub value: SecretString,
    /// The KMS key that encrypts it; absent for the key that AWS manages.
    pub kms_key_id: Option<String>,
    /// Resource tags.
    pub tags: BTreeMap<String, String>,
}

impl Secrets {
    /// Secrets Manager as this session sees it.
    pub fn new(session: &Session) -> Self {
        Self {
            client: Client::new(session.config()),
        }
    }

    /// The current value of a secret by name or ARN; `None` where it holds bytes and no text.
    pub async fn value(&self, id: &str) -> Result<Option<SecretString>, Error> {
        let get = self.client.get_secret_value().secret_id(id);
        let output = get.send().await;
        let output = output.map_err(|error| Error::from_sdk(SERVICE, "GetSecretValue", error))?;
        Ok(output.secret_string.map(SecretString::from))
    }

    /// Looks a secret up by name or ARN; `None` when there is none.
    pub async fn describe(&self, id: &str) -> Result<Option<SecretDescription>, Error> {
        let answer = self.client.describe_secret().secret_id(id).send().await;
        let found = match answer {
            Ok(found) => found,
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DescribeSecretError::is_resource_not_found_exception) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(Error::from_sdk(SERVICE, "DescribeSecret", error)),
        };
        let tags = found.tags().iter();
        let tags = tags.filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned())));
        let stages = found.version_ids_to_stages();
        Ok(Some(SecretDescription {
            tags: tags.collect(),
            has_value: stages.is_some_and(|stages| !stages.is_empty()),
            is_deleted: found.deleted_date.is_some(),
            arn: found.arn.unwrap_or_default(),
            description: found.description.filter(|text| !text.is_empty()),
            kms_key_id: found.kms_key_id,
        }))
    }

    /// Creates a secret and returns its ARN.
    pub async fn create(&self, secret: &NewSecret) -> Result<String, Error> {
        let create = self.client.create_secret();
        let answer = create
            .name(&secret.name)
            .description(&secret.description)
            .secret_string(secret.value.expose_secret())
            .set_kms_key_id(secret.kms_key_id.clone())
            .set_tags(Some(tags(&secret.tags)))
            .send()
            .await;
        let output = answer.map_err(|error| Error::from_sdk(SERVICE, "CreateSecret", error))?;
        Ok(output.arn.unwrap_or_default())
    }

    /// Gives a secret a new value.
    pub async fn put_value(&self, id: &str, value: &SecretString) -> Result<(), Error> {
        let put = self.client.put_secret_value().secret_id(id);
        let answer = put.secret_string(value.expose_secret()).send().await;
        answer
            .map(drop)
            .map_err(|error| Error::from_sdk(SERVICE, "PutSecretValue", error))
    }

    /// Adds tags to a secret and changes those that it has.
    pub async fn tag(&self, id: &str, new: &BTreeMap<String, String>) -> Result<(), Error> {
        let tag = self.client.tag_resource().secret_id(id);
        let answer = tag.set_tags(Some(tags(new))).send().await;
        answer
            .map(drop)
            .map_err(|error| Error::from_sdk(SERVICE, "TagResource", error))
    }

    /// Takes tags away from a secret.
    pub async fn untag(&self, id: &str, keys: Vec<String>) -> Result<(), Error> {
        let untag = self.client.untag_resource().secret_id(id);
        let answer = untag.set_tag_keys(Some(keys)).send().await;
        answer
            .map(drop)
            .map_err(|error| Error::from_sdk(SERVICE, "UntagResource", error))
    }

    /// Marks a secret for deletion. It can be restored for so many days, from 7 to 30.
    pub async fn delete(&self, id: &str, recovery_days: u8) -> Result<(), Error> {
        let delete = self.client.delete_secret().secret_id(id);
        let days = i64::from(recovery_days);
        let answer = delete.recovery_window_in_days(days).send().await;
        answer
            .map(drop)
            .map_err(|error| Error::from_sdk(SERVICE, "DeleteSecret", error))
    }

    /// Takes the mark of deletion away.
    pub async fn restore(&self, id: &str) -> Result<(), Error> {
        let answer = self.client.restore_secret().secret_id(id).send().await;
        answer
            .map(drop)
            .map_err(|error| Error::from_sdk(SERVICE, "RestoreSecret", error))
    }
}

fn tags(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    let tags = tags.iter();
    tags.map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{StandIn, refusal};
    use super::*;
    use crate::failure::{Failure as _, Kind};

    #[tokio::test]
    async fn a_secret_is_kept() {
        let arn = json!({"ARN": "arn:hub"});
        let found = json!({
            "ARN": "arn:hub",
            "DeletedDate": 1_700_000_000,
            "VersionIdsToStages": {"v1": ["AWSCURRENT"]},
            "Tags": [{"Key": "team", "Value": "platform"}],
        });
        let done = || (200, json!({}));
        let missing = refusal("ResourceNotFoundException", "can't find it");
        let denied = refusal(
            "AccessDeniedException",
            "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: \
             secretsmanager:GetSecretValue on resource: hub",
        );
        let answers = [
            missing,
            (200, arn),
            (200, found),
            done(),
            done(),
            done(),
            done(),
            done(),
        ];
        let value = (200, json!({"SecretString": "two"}));
        let api = StandIn::answering(answers.into_iter().chain([value, denied])).await;
        let secrets = Secrets::new(&api.session());

        let tags = BTreeMap::from([("team".to_owned(), "platform".to_owned())]);
        assert_eq!(secrets.describe("hub").await.unwrap(), None);
        let new = NewSecret {
            name: "hub".to_owned(),
            description: "for the cache".to_owned(),
            value: "one".into(),
            kms_key_id: None,
            tags: tags.clone(),
        };
        assert_eq!(secrets.create(&new).await.unwrap(), "arn:hub");
        let description = SecretDescription {
            arn: "arn:hub".to_owned(),
            is_deleted: true,
            has_value: true,
            description: None,
            kms_key_id: None,
            tags: tags.clone(),
        };
        assert_eq!(secrets.describe("hub").await.unwrap(), Some(description));
        secrets.restore("hub").await.unwrap();
        secrets.put_value("hub", &"two".into()).await.unwrap();
        secrets.tag("hub", &tags).await.unwrap();
        secrets
            .untag("hub", vec!["owner".to_owned()])
            .await
            .unwrap();
        secrets.delete("hub", 7).await.unwrap();
        let value = secrets.value("hub").await.unwrap().unwrap();
        assert_eq!(value.expose_secret(), "two");
        let error = secrets.value("hub").await.unwrap_err();
        assert_eq!(error.kind(), Kind::Refused);
        let hint = "allow `secretsmanager:GetSecretValue` to this user or role";
        assert_eq!(error.hint().as_deref(), Some(hint));
        let mut calls = api.calls();
        // A number of the SDK's own, new each time.
        for (_, input) in &mut calls {
            input.as_object_mut().unwrap().remove("ClientRequestToken");
        }
        insta::assert_json_snapshot!(calls);
    }
}
