//! Repository creation templates: what ECR gives the repositories that it creates by itself.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ecr::operation::create_repository_creation_template::CreateRepositoryCreationTemplateError;
use aws_sdk_ecr::types::{
    EncryptionConfigurationForRepositoryCreationTemplate, EncryptionType, RctAppliedFor,
    RepositoryCreationTemplate as Found,
};

use super::sdk_types::{mutability, read_encryption, read_mutability, resource_tags};
use super::{Ecr, Encryption, Error, TagMutability};
use crate::aws;

/// A template. Its settings count for repositories that are created from then on, and never for
/// one that exists.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CreationTemplate {
    /// The prefix of the names that it is for, without a slash at its end; `ROOT` for all that no
    /// other template is for.
    pub prefix: String,
    /// Words for whoever finds it.
    pub description: Option<String>,
    /// What makes ECR create a repository by it; at least one.
    pub applied_for: BTreeSet<CreatedBy>,
    /// Whether tags can be overwritten.
    pub tag_mutability: TagMutability,
    /// How ECR encrypts the repository.
    pub encryption: Encryption,
    /// A lifecycle policy, as ECR's own JSON text.
    pub lifecycle_policy: Option<String>,
    /// A repository policy, as ECR's own JSON text.
    pub policy: Option<String>,
    /// Resource tags.
    pub tags: BTreeMap<String, String>,
    /// The ARN of the role with which ECR creates the repository. Without one it fails to where
    /// there are tags or a KMS key.
    pub custom_role_arn: Option<String>,
}

/// What makes ECR create a repository by itself.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum CreatedBy {
    /// A pull through a rule.
    PullThroughCache,
    /// Replication from another registry.
    Replication,
    /// A push.
    Push,
}

impl CreationTemplate {
    /// Whether ECR needs a role to create repositories by this template (its user guide,
    /// "Repository creation templates").
    pub fn needs_role(&self) -> bool {
        !self.tags.is_empty() || self.encryption != Encryption::Aes256
    }
}

impl Ecr {
    /// All templates of the registry, which is always the caller's own.
    pub async fn creation_templates(&self) -> Result<Vec<CreationTemplate>, Error> {
        let pages = self.client.describe_repository_creation_templates();
        let pages = pages.into_paginator().items();
        let found = pages.send().try_collect().await;
        let found = found.map_err(|error| Error::Templates {
            source: aws::Error::from_sdk("ecr", "DescribeRepositoryCreationTemplates", error),
        })?;
        Ok(found.iter().map(read).collect())
    }

    /// Creates a template. One that is there already, and is the same, is what was wanted: the
    /// first answer may have been lost.
    pub async fn create_creation_template(&self, template: &CreationTemplate) -> Result<(), Error> {
        let (mutability, exempt) = mutability(&template.tag_mutability);
        let create = self.client.create_repository_creation_template();
        let answer = create
            .prefix(&template.prefix)
            .set_description(template.description.clone())
            .set_applied_for(Some(applied_for(template)))
            .image_tag_mutability(mutability)
            .set_image_tag_mutability_exclusion_filters(exempt)
            .encryption_configuration(encryption(&template.encryption))
            .set_lifecycle_policy(template.lifecycle_policy.clone())
            .set_repository_policy(template.policy.clone())
            .set_resource_tags(resource_tags(&template.tags))
            .set_custom_role_arn(template.custom_role_arn.clone())
            .send()
            .await;
        let Err(error) = answer else {
            return Ok(());
        };
        let exists = error.as_service_error().is_some_and(
            CreateRepositoryCreationTemplateError::is_template_already_exists_exception,
        );
        if exists && self.creation_templates().await?.contains(template) {
            return Ok(());
        }
        let source = aws::Error::from_sdk("ecr", "CreateRepositoryCreationTemplate", error);
        Err(failed("create", &template.prefix, source))
    }

    /// Makes the template with this prefix like this one. An empty text and an empty list take away
    /// what there was; what is not named at all would stay. A role cannot be taken away.
    pub async fn update_creation_template(&self, template: &CreationTemplate) -> Result<(), Error> {
        let (mutability, exempt) = mutability(&template.tag_mutability);
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let update = self.client.update_repository_creation_template();
        let answer = update
            .prefix(&template.prefix)
            .description(text(&template.description))
            .set_applied_for(Some(applied_for(template)))
            .image_tag_mutability(mutability)
            .set_image_tag_mutability_exclusion_filters(exempt)
            .encryption_configuration(encryption(&template.encryption))
            .lifecycle_policy(text(&template.lifecycle_policy))
            .repository_policy(text(&template.policy))
            .set_resource_tags(Some(resource_tags(&template.tags).unwrap_or_default()))
            .set_custom_role_arn(template.custom_role_arn.clone())
            .send()
            .await;
        answer.map(drop).map_err(|error| {
            let source = aws::Error::from_sdk("ecr", "UpdateRepositoryCreationTemplate", error);
            failed("update", &template.prefix, source)
        })
    }

    /// Deletes a template. The repositories that it made stay as they are.
    pub async fn delete_creation_template(&self, prefix: &str) -> Result<(), Error> {
        let delete = self.client.delete_repository_creation_template();
        let answer = delete.prefix(prefix).send().await;
        answer.map(drop).map_err(|error| {
            let source = aws::Error::from_sdk("ecr", "DeleteRepositoryCreationTemplate", error);
            failed("delete", prefix, source)
        })
    }
}

fn read(found: &Found) -> CreationTemplate {
    let encryption = found.encryption_configuration();
    let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let tags = found.resource_tags().iter();
    CreationTemplate {
        prefix: found.prefix().unwrap_or_default().to_owned(),
        description: text(found.description()),
        applied_for: found.applied_for().iter().filter_map(created_by).collect(),
        tag_mutability: read_mutability(
            found.image_tag_mutability(),
            found.image_tag_mutability_exclusion_filters(),
        ),
        encryption: encryption.map_or(Encryption::Aes256, |it| {
            read_encryption(it.encryption_type(), it.kms_key())
        }),
        lifecycle_policy: text(found.lifecycle_policy()),
        policy: text(found.repository_policy()),
        tags: tags
            .map(|tag| (tag.key().to_owned(), tag.value().to_owned()))
            .collect(),
        custom_role_arn: text(found.custom_role_arn()),
    }
}

fn created_by(purpose: &RctAppliedFor) -> Option<CreatedBy> {
    match purpose {
        RctAppliedFor::PullThroughCache => Some(CreatedBy::PullThroughCache),
        RctAppliedFor::Replication => Some(CreatedBy::Replication),
        RctAppliedFor::CreateOnPush => Some(CreatedBy::Push),
        _ => None,
    }
}

fn applied_for(template: &CreationTemplate) -> Vec<RctAppliedFor> {
    let purposes = template
        .applied_for
        .iter()
        .map(|created_by| match created_by {
            CreatedBy::PullThroughCache => RctAppliedFor::PullThroughCache,
            CreatedBy::Replication => RctAppliedFor::Replication,
            CreatedBy::Push => RctAppliedFor::CreateOnPush,
        });
    purposes.collect()
}

fn encryption(encryption: &Encryption) -> EncryptionConfigurationForRepositoryCreationTemplate {
    let builder = EncryptionConfigurationForRepositoryCreationTemplate::builder();
    let builder = match encryption {
        Encryption::Aes256 => builder.encryption_type(EncryptionType::Aes256),
        Encryption::Kms { key_arn } => builder
            .encryption_type(EncryptionType::Kms)
            .kms_key(key_arn),
    };
    builder.build().expect("the type is set")
}

fn failed(action: &'static str, prefix: &str, source: aws::Error) -> Error {
    Error::Template {
        action,
        prefix: prefix.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::stand_in::{StandIn, refusal};
    use super::*;

    fn everything() -> CreationTemplate {
        CreationTemplate {
            prefix: "docker-hub".to_owned(),
            description: Some("for all".to_owned()),
            applied_for: BTreeSet::from([CreatedBy::PullThroughCache, CreatedBy::Push]),
            tag_mutability: TagMutability::Immutable {
                except: vec!["latest".to_owned()],
            },
            encryption: Encryption::Kms {
                key_arn: "arn:aws:kms:eu-west-1:123456789012:key/k".to_owned(),
            },
            lifecycle_policy: Some(r#"{"rules": []}"#.to_owned()),
            policy: Some(r#"{"Statement": []}"#.to_owned()),
            tags: BTreeMap::from([("team".to_owned(), "platform".to_owned())]),
            custom_role_arn: Some("arn:aws:iam::123456789012:role/ptc".to_owned()),
        }
    }

    fn little() -> CreationTemplate {
        CreationTemplate {
            prefix: "ROOT".to_owned(),
            description: None,
            applied_for: BTreeSet::from([CreatedBy::PullThroughCache]),
            tag_mutability: TagMutability::Mutable,
            encryption: Encryption::Aes256,
            lifecycle_policy: None,
            policy: None,
            tags: BTreeMap::new(),
            custom_role_arn: None,
        }
    }

    #[tokio::test]
    async fn a_template_is_kept() {
        let done = || (200, json!({}));
        let api = StandIn::answering([done(), done(), done(), done(), done()]).await;
        let ecr = api.ecr(None);
        for template in [everything(), little()] {
            ecr.create_creation_template(&template).await.unwrap();
            ecr.update_creation_template(&template).await.unwrap();
        }
        ecr.delete_creation_template("ROOT").await.unwrap();
        let calls = api.calls();
        let created = [&calls[0].1, &calls[2].1];
        let listed = (200, json!({"repositoryCreationTemplates": created}));
        let again = StandIn::answering([listed]).await;
        let found = again.ecr(None).creation_templates().await.unwrap();
        assert_eq!(found, [everything(), little()]);
        let needs: Vec<bool> = found.iter().map(CreationTemplate::needs_role).collect();
        assert_eq!(needs, [true, false]);
        insta::assert_json_snapshot!(calls);
    }

    #[tokio::test]
    async fn a_template_that_is_there_already_is_what_was_wanted() {
        let exists = || refusal("TemplateAlreadyExistsException", "it exists");
        let found = json!({"prefix": "ROOT", "appliedFor": ["PULL_THROUGH_CACHE"]});
        let page = || (200, json!({"repositoryCreationTemplates": [found]}));
        let api = StandIn::answering([exists(), page(), exists(), page()]).await;
        let ecr = api.ecr(None);
        ecr.create_creation_template(&little()).await.unwrap();
        let other = CreationTemplate {
            prefix: "ROOT".to_owned(),
            ..everything()
        };
        let error = ecr.create_creation_template(&other).await.unwrap_err();
        let text = "cannot create the repository creation template `ROOT`";
        assert_eq!(error.to_string(), text);
    }
}
