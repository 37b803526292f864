//! The creation of a repository with everything that belongs to it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_ecr::operation::create_repository::CreateRepositoryError;
use aws_sdk_ecr::types::ImageScanningConfiguration;
use backon::{ExponentialBuilder, Retryable};
use parking_lot::{Mutex, MutexGuard};
use tracing::debug;

use super::sdk_types::{encryption, mutability, resource_tags};
use super::{Ecr, Error, RepositorySettings};
use crate::aws;
use crate::failure::Failure as _;
use crate::image::Repository;

/// How often a request is repeated after its first failure.
const TRIES_MORE: usize = 4;

/// The pause before the first repetition; it doubles each time, to about eight seconds in all. A
/// run that creates many repositories is throttled for as long as that.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// What became of the wish for a repository.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Creation {
    /// It was created, with its settings.
    Created,
    /// It existed, and its settings were left as they are.
    AlreadyExisted,
}

/// The repositories that this process created, or may have created without hearing of it, and that
/// still lack policies. To find such a repository in place does not mean that it is somebody's.
#[derive(Clone, Default)]
pub(super) struct Unfinished(Arc<Mutex<HashSet<Repository>>>);

impl Unfinished {
    pub(super) fn contains(&self, repository: &Repository) -> bool {
        self.lock().contains(repository)
    }

    fn begin(&self, repository: &Repository) {
        self.lock().insert(repository.clone());
    }

    fn finish(&self, repository: &Repository) {
        self.lock().remove(repository);
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<Repository>> {
        self.0.lock()
    }
}

impl Ecr {
    /// Creates a repository with its policies, with several tries where that can help. One that
    /// exists is left as it is: two images of one new repository may ask for it at the same time.
    pub async fn create_repository(
        &self,
        repository: &Repository,
        settings: &RepositorySettings,
    ) -> Result<Creation, Error> {
        let create = async || self.try_to_create(repository, settings).await;
        let creation = self.persist(create).await.map_err(|source| Error::Create {
            repository: repository.clone(),
            has_policies: settings.lifecycle_policy.is_some() || settings.policy.is_some(),
            source,
        })?;
        if creation == Creation::Created {
            if let Some(policy) = &settings.lifecycle_policy {
                self.put_lifecycle_policy(repository, policy).await?;
            }
            if let Some(policy) = &settings.policy {
                self.set_repository_policy(repository, policy).await?;
            }
            self.unfinished.finish(repository);
        }
        Ok(creation)
    }

    /// One request. The SDK must not repeat it by itself: when an answer is lost, only who knows of
    /// the first request can tell its own repository from another's.
    async fn try_to_create(
        &self,
        repository: &Repository,
        settings: &RepositorySettings,
    ) -> Result<Creation, aws::Error> {
        let (mutability, exempt) = mutability(&settings.tag_mutability);
        let scanning = ImageScanningConfiguration::builder().scan_on_push(settings.scan_on_push);
        let answer = self
            .client_without_retries
            .create_repository()
            .set_registry_id(self.account_id.clone())
            .repository_name(repository.as_str())
            .image_tag_mutability(mutability)
            .set_image_tag_mutability_exclusion_filters(exempt)
            .image_scanning_configuration(scanning.build())
            .encryption_configuration(encryption(&settings.encryption))
            .set_tags(resource_tags(&settings.tags))
            .send()
            .await;
        let Err(error) = answer else {
            debug!(%repository, "ecr CreateRepository");
            self.unfinished.begin(repository);
            return Ok(Creation::Created);
        };
        let exists = error
            .as_service_error()
            .is_some_and(CreateRepositoryError::is_repository_already_exists_exception);
        if exists && self.unfinished.contains(repository) {
            return Ok(Creation::Created);
        }
        if exists {
            return Ok(Creation::AlreadyExisted);
        }
        let error = aws::Error::from_sdk("ecr", "CreateRepository", error);
        if error.kind().is_retryable() {
            self.unfinished.begin(repository);
        }
        Err(error)
    }

    /// Sends a request until it succeeds, fails for good or was sent often enough.
    pub(super) async fn persist<T, F, R>(&self, request: F) -> Result<T, aws::Error>
    where
        F: FnMut() -> R,
        R: Future<Output = Result<T, aws::Error>>,
    {
        let pauses = ExponentialBuilder::default()
            .with_min_delay(self.first_pause)
            .with_max_times(TRIES_MORE)
            .with_jitter();
        request
            .retry(pauses)
            .when(|error| error.kind().is_retryable())
            .notify(|error, pause| debug!(%error, ?pause, "trying again"))
            .await
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::super::stand_in::{StandIn, refusal};
    use super::super::{Encryption, TagMutability};
    use super::*;
    use crate::failure::Kind;

    fn repository() -> Repository {
        "ecsclone/redis".parse().unwrap()
    }

    fn everything() -> RepositorySettings {
        RepositorySettings {
            tag_mutability: TagMutability::Immutable {
                except: vec!["latest".to_owned(), "dev-*".to_owned()],
            },
            scan_on_push: true,
            encryption: Encryption::Kms {
                key_arn: "arn:aws:kms:eu-west-1:123456789012:key/k".to_owned(),
            },
            lifecycle_policy: Some(r#"{"rules": []}"#.to_owned()),
            policy: Some(r#"{"Statement": []}"#.to_owned()),
            tags: BTreeMap::from([("team".to_owned(), "platform".to_owned())]),
        }
    }

    #[tokio::test]
    async fn creates_with_every_setting() {
        let empty = || (200, json!({}));
        let api = StandIn::answering([empty(), empty(), empty()]).await;
        let ecr = api.ecr(Some("210987654321"));
        let creation = ecr.create_repository(&repository(), &everything()).await;
        assert_eq!(creation.unwrap(), Creation::Created);
        insta::assert_json_snapshot!(api.calls());
    }

    #[tokio::test]
    async fn creates_with_the_defaults() {
        let api = StandIn::answering([(200, json!({}))]).await;
        let settings = RepositorySettings::default();
        let ecr = api.ecr(None);
        let creation = ecr.create_repository(&repository(), &settings).await;
        assert_eq!(creation.unwrap(), Creation::Created);
        insta::assert_json_snapshot!(api.calls());
    }

    #[tokio::test]
    async fn leaves_an_existing_repository_alone() {
        let exists = refusal("RepositoryAlreadyExistsException", "it exists");
        let api = StandIn::answering([exists]).await;
        let creation = api
            .ecr(None)
            .create_repository(&repository(), &everything())
            .await;
        assert_eq!(creation.unwrap(), Creation::AlreadyExisted);
        assert_eq!(api.calls().len(), 1);
    }

    #[tokio::test]
    async fn says_what_a_new_repository_lacks() {
        let denied = refusal(
            "AccessDeniedException",
            "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: \
             ecr:SetRepositoryPolicy on resource: arn:aws:ecr:eu-west-1:123456789012:repository/x",
        );
        let api = StandIn::answering([(200, json!({})), (200, json!({})), denied]).await;
        let creation = api
            .ecr(None)
            .create_repository(&repository(), &everything())
            .await;
        let error = creation.unwrap_err();
        assert_eq!(error.kind(), Kind::Refused);
        insta::assert_snapshot!(format!("{error}\n{}", error.hint().unwrap()));
    }

    fn sorry() -> (u16, Value) {
        (
            500,
            json!({"__type": "ServerException", "message": "Sorry"}),
        )
    }

    fn done() -> (u16, Value) {
        (200, json!({}))
    }

    fn exists() -> (u16, Value) {
        refusal("RepositoryAlreadyExistsException", "it exists")
    }

    #[tokio::test]
    async fn policies_are_put_until_they_are_there() {
        let api = StandIn::answering([done(), sorry(), done(), sorry(), sorry(), done()]).await;
        let ecr = api.ecr(None);
        let creation = ecr.create_repository(&repository(), &everything()).await;
        assert_eq!(creation.unwrap(), Creation::Created);
        let operations: Vec<String> = api.calls().into_iter().map(|(name, _)| name).collect();
        assert_eq!(
            operations,
            [
                "CreateRepository",
                "PutLifecyclePolicy",
                "PutLifecyclePolicy",
                "SetRepositoryPolicy",
                "SetRepositoryPolicy",
                "SetRepositoryPolicy",
            ]
        );
    }

    #[tokio::test]
    async fn a_repository_whose_creation_went_unheard_gets_its_policies() {
        let api = StandIn::answering([sorry(), exists(), done(), done()]).await;
        let creation = api
            .ecr(None)
            .create_repository(&repository(), &everything())
            .await;
        assert_eq!(creation.unwrap(), Creation::Created);
        assert_eq!(api.calls().len(), 4);
    }

    #[tokio::test]
    async fn what_was_not_finished_is_missing_and_created_again() {
        let failures = std::iter::repeat_n(sorry(), 1 + TRIES_MORE);
        let described = (200, json!({"repositories": [{}]}));
        let rest = [described.clone(), exists(), done(), done(), described];
        let api = StandIn::answering(failures.chain(rest)).await;
        let ecr = api.ecr(None);
        let create = || async { ecr.create_repository(&repository(), &everything()).await };
        let error = create().await.unwrap_err();
        assert_eq!(error.kind(), Kind::Transient);
        insta::assert_snapshot!(format!("{error}\n{}", error.hint().unwrap()), @r"
        cannot create the ECR repository `ecsclone/redis`
        if `ecsclone/redis` exists now, delete it before the next run, which would leave it as it is, without its policies
        ");

        assert_eq!(ecr.describe_repository(&repository()).await.unwrap(), None);
        assert_eq!(create().await.unwrap(), Creation::Created);
        let described = ecr.describe_repository(&repository()).await.unwrap();
        assert!(described.is_some());
    }

    #[tokio::test]
    async fn a_policy_that_cannot_be_put_is_named() {
        let failures = std::iter::repeat_n(sorry(), 1 + TRIES_MORE);
        let api = StandIn::answering([done()].into_iter().chain(failures)).await;
        let creation = api
            .ecr(None)
            .create_repository(&repository(), &everything())
            .await;
        let error = creation.unwrap_err();
        assert_eq!(error.kind(), Kind::Permanent);
        insta::assert_snapshot!(format!("{error}\n{}", error.hint().unwrap()), @r"
        the ECR repository `ecsclone/redis` was created, but without its lifecycle policy
        delete the empty repository `ecsclone/redis` and run again, or add the lifecycle policy by hand: an existing repository is left as it is
        ");
    }
}
