//! Who we are at AWS, and where.

use std::time::Duration;

use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::os_shim_internal::{Env, Fs};

use super::{Error, http_client, profile};

/// The name under which CloudTrail shows an assumed role's session.
const ROLE_SESSION: &str = "longshore";

/// Three attempts at an address that swallows packets then take about ten seconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long an answer may take to begin. It is the time of one request, not of finding
/// credentials, which may wait for a person.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// What decides on a session beside the environment and the AWS configuration files.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The region; the AWS SDK's own chain decides where this is absent.
    pub region: Option<String>,
    /// The profile. As in the AWS CLI, its credentials go before those of the environment.
    pub profile: Option<String>,
    /// The ARN of a role that is assumed with the credentials found.
    pub role_arn: Option<String>,
    /// PEM certificates that AWS's certificate must descend from, instead of the system's: the
    /// contents of the file that `AWS_CA_BUNDLE` names.
    pub root_certificates: Option<Vec<u8>>,
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
        let (env, fs) = (Env::real(), Fs::real());
        // Variables that are set to nothing are what templates make of an absent value.
        let profile = options.profile.or_else(|| {
            (env.get("AWS_PROFILE").as_deref() == Ok("")).then(|| profile::DEFAULT.into())
        });
        profile::check(&env, &fs, profile.as_deref()).await?;

        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .build();
        let mut loader =
            aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts.clone());
        if let Some(region) = options.region {
            loader = loader.region(Region::new(region));
        }
        if let Some(profile) = &profile {
            loader = loader.profile_name(profile);
        }
        if let Some(certificates) = options.root_certificates {
            loader = loader.http_client(http_client::trusting(certificates)?);
        }
        let mut config = loader.load().await;
        let region = match config.region() {
            Some(region) if !region.as_ref().is_empty() => region.to_string(),
            _ => return Err(Error::MissingRegion),
        };
        if let Some(profile) = profile {
            config = with_profile_first(config, profile);
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
            .region(Region::new(region))
            .retry_config(RetryConfig::disabled())
            .build();
        Self {
            config,
            region: region.to_owned(),
        }
    }
}

/// The SDK asks the environment before any profile, also before one that was named to it; the AWS
/// CLI does not, and a second account's profile would never be used where the environment holds
/// the first's keys.
fn with_profile_first(config: SdkConfig, profile: String) -> SdkConfig {
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
    let named = ProfileFileCredentialsProvider::builder()
        .configure(&provider_config)
        .profile_name(profile)
        .build();
    let chain = CredentialsProviderChain::first_try("Profile", named);
    let chain = match config.credentials_provider() {
        Some(others) => chain.or_else("Default", others),
        None => chain,
    };
    with_credentials(config, SharedCredentialsProvider::new(chain))
}

fn with_credentials(config: SdkConfig, provider: SharedCredentialsProvider) -> SdkConfig {
    config.into_builder().credentials_provider(provider).build()
}
