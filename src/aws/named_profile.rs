//! The credentials of a profile that was asked for by name.

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};

/// The profile that was asked for has no credentials.
#[derive(Debug, thiserror::Error)]
#[error("the AWS profile `{profile}` has no credentials")]
pub(super) struct NoCredentials {
    pub(super) profile: String,
}

/// One profile's credentials, and nobody else's: whoever names a profile means its account, and
/// must not end up in the one whose keys happen to be in the environment.
#[derive(Debug)]
pub(super) struct NamedProfile {
    name: String,
    provider: ProfileFileCredentialsProvider,
}

impl NamedProfile {
    pub(super) fn new(name: String, config: &ProviderConfig) -> Self {
        let provider = ProfileFileCredentialsProvider::builder()
            .configure(config)
            .profile_name(&name)
            .build();
        Self { name, provider }
    }
}

impl ProvideCredentials for NamedProfile {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async move {
            let credentials = self.provider.provide_credentials().await;
            credentials.map_err(|error| match error {
                CredentialsError::CredentialsNotLoaded(_) => {
                    CredentialsError::not_loaded(NoCredentials {
                        profile: self.name.clone(),
                    })
                }
                other => other,
            })
        })
    }
}
