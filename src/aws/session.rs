//! Who we are at AWS, and where.

use std::time::Duration;

use aws_config::identity::IdentityCache;
use aws_config::imds::region::ImdsRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::provider_config::ProviderConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::identity::SharedIdentityCache;
use aws_types::os_shim_internal::Fs;

use super::environment::{environment, without_empty_endpoints};
use super::http_client::http_client;
use super::named_profile::NamedProfile;
use super::profile::Profile;
use super::{Error, RootCertificates};

/// The name under which CloudTrail shows an assumed role's session.
const ROLE_SESSION: &str = "longshore";

/// Three attempts at an address that swallows packets then take about ten seconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long an answer may take to begin. It is the time of one request, not of finding
/// credentials, which may wait for a person.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// How long finding credentials may take. A `credential_process` may wait for a person to touch a
/// key or to log in; the SDK's own limit follows from the connections' and can be six seconds.
const CREDENTIALS_TIMEOUT: Duration = Duration::from_mins(5);

/// What decides on a session beside the environment and the AWS configuration files.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The region; the AWS SDK's own chain decides where this is absent.
    pub region: Option<String>,
    /// The profile. As in the AWS CLI, its credentials go before those of the environment; where
    /// it has none, there are none.
    pub profile: Option<String>,
    /// The ARN of a role that is assumed with the credentials found.
    pub role_arn: Option<String>,
    /// Certificates that are trusted beside the system's.
    pub root_certificates: Option<RootCertificates>,
}

/// Credentials, a region and the settings of AWS calls. Credentials are looked for at the first
/// call, so that a session is free until it is used.
#[derive(Clone, Debug)]
pub struct Session {
    config: SdkConfig,
    region: String,
}

impl Session {
    /// Reads the environment and the AWS configuration files.
    pub async fn load(options: Options) -> Result<Self, Error> {
        let env = environment(std::env::vars_os());
        let profile = Profile::read(&env, &Fs::real(), options.profile.as_deref()).await?;
        let http_client = http_client(options.root_certificates.as_ref());

        let metadata = ProviderConfig::default().with_http_client(http_client.clone());
        let metadata = ImdsRegionProvider::builder().configure(&metadata).build();
        let told = options.region.or(profile.region).map(Region::new);
        let region = RegionProviderChain::first_try(told).or_else(metadata);
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .build();
        let mut config = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http_client)
            .identity_cache(identity_cache(CREDENTIALS_TIMEOUT))
            .profile_name(profile.name)
            .region(region)
            .retry_config(profile.retry)
            .timeout_config(timeouts)
            .load()
            .await;
        config = without_empty_endpoints(config);
        let region = match config.region() {
            Some(region) if !region.as_ref().is_empty() => region.to_string(),
            _ => return Err(Error::MissingRegion),
        };
        if let Some(name) = options.profile {
            config = with_profile(config, name);
        }
        if let Some(role) = options.role_arn {
            let provider = AssumeRoleProvider::builder(role)
                .session_name(ROLE_SESSION)
                .configure(&config)
                .build()
                .await;
            config = with_credentials(config, SharedCredentialsProvider::new(provider));
        }
        Ok(Self { config, region })
    }

    /// The region.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// What the clients of AWS services are made of.
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// A session with made-up credentials whose every service is at one address.
    #[cfg(test)]
    pub(crate) fn at(endpoint: &str) -> Self {
        use aws_config::retry::RetryConfig;
        use aws_credential_types::Credentials;

        let credentials = Credentials::new("AKIATEST", "secret", None, None, "test");
        let region = "eu-west-1";
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .endpoint_url(endpoint)
            .http_client(http_client(None))
            .region(Region::new(region))
            .retry_config(RetryConfig::disabled())
            .build();
        Self {
            config,
            region: region.to_owned(),
        }
    }
}

fn identity_cache(timeout: Duration) -> SharedIdentityCache {
    IdentityCache::lazy().load_timeout(timeout).build()
}

/// The SDK asks the environment before any profile, also before one that was named to it; the AWS
/// CLI does not, and a second account's profile would never be used where the environment holds
/// the first's keys.
fn with_profile(config: SdkConfig, name: String) -> SdkConfig {
    let mut provider_config = ProviderConfig::default()
        .with_region(config.region().cloned())
        .with_use_fips(config.use_fips())
        .with_use_dual_stack(config.use_dual_stack());
    if let Some(client) = config.http_client() {
        provider_config = provider_config.with_http_client(client);
    }
    if let Some(retry) = config.retry_config() {
        provider_config = provider_config.with_retry_config(retry.clone());
    }
    if let Some(timeouts) = config.timeout_config() {
        provider_config = provider_config.with_timeout_config(timeouts.clone());
    }
    let named = NamedProfile::new(name, &provider_config);
    with_credentials(config, SharedCredentialsProvider::new(named))
}

fn with_credentials(config: SdkConfig, provider: SharedCredentialsProvider) -> SdkConfig {
    config.into_builder().credentials_provider(provider).build()
}

#[cfg(test)]
mod tests {
    use aws_config::credential_process::CredentialProcessProvider;

    use super::*;
    use crate::failure::{Failure as _, Kind, chain};

    /// The failure of a request where nobody listens, with credentials that take a second.
    async fn fail_with(timeout: Duration) -> Error {
        let answer = r#"{"Version": 1, "AccessKeyId": "AKIA", "SecretAccessKey": "secret"}"#;
        let slow = CredentialProcessProvider::new(format!("sleep 1; echo '{answer}'"));
        let config = Session::at("http://127.0.0.1:1").config.into_builder();
        let config = config
            .credentials_provider(SharedCredentialsProvider::new(slow))
            .identity_cache(identity_cache(timeout))
            .build();
        let ecr = aws_sdk_ecr::Client::new(&config);
        let error = ecr.get_authorization_token().send().await.unwrap_err();
        Error::from_sdk("ecr", "GetAuthorizationToken", error)
    }

    #[tokio::test]
    async fn credentials_may_take_their_time() {
        let error = fail_with(CREDENTIALS_TIMEOUT).await;
        assert_eq!(error.kind(), Kind::Unreachable);
        let error = fail_with(Duration::from_millis(100)).await;
        assert_eq!(error.kind(), Kind::Refused);
        insta::assert_snapshot!(
            format!("{}\n{}", chain(&error), error.hint().unwrap()),
            @r"
            ecr GetAuthorizationToken failed: the AWS credentials could not be loaded: identity resolver timed out after 100ms
            run `aws sts get-caller-identity` to see what it waits for
            "
        );
    }
}
