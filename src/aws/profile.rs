//! The selected profile, looked at before the SDK does.

use std::borrow::Cow;
use std::num::NonZeroU32;

#[expect(
    deprecated,
    reason = "its successor is in a crate that is the SDK's own"
)]
use aws_config::profile::profile_file::ProfileFiles;
use aws_config::profile::{self, ProfileSet};
use aws_config::retry::{RetryConfig, RetryMode};
use aws_types::os_shim_internal::{Env, Fs};

use super::Error;

/// The profile that is selected when nobody names one. It need not exist.
const DEFAULT: &str = "default";

/// The selected profile, and what it and the environment say about settings that the SDK reads
/// wrongly, or panics about, where they are empty or wrong.
#[derive(Debug)]
pub(super) struct Profile {
    /// Its name.
    pub(super) name: String,
    /// The region, where anything but the machine's own metadata tells it.
    pub(super) region: Option<String>,
    /// How requests are repeated.
    pub(super) retry: RetryConfig,
}

impl Profile {
    /// Reads the selected profile. It and the one whose credentials it borrows must exist; to the
    /// SDK, one that does not is one without credentials.
    pub(super) async fn read(env: &Env, fs: &Fs, named: Option<&str>) -> Result<Self, Error> {
        #[expect(deprecated, reason = "see the import")]
        let files = ProfileFiles::default();
        let selected = named.map(|name| Cow::Owned(name.to_owned()));
        let profiles = profile::load(fs, env, &files, selected).await?;
        let name = profiles.selected_profile();
        let is_used = named.is_some() || env.get("AWS_ACCESS_KEY_ID").is_err();
        let lender = profiles.get("source_profile").filter(|_| is_used);
        for wanted in [Some(name), lender].into_iter().flatten() {
            require(&profiles, wanted)?;
        }
        let mut retry = RetryConfig::standard();
        let settings = Settings {
            env,
            profiles: &profiles,
        };
        let attempts = settings.read("AWS_MAX_ATTEMPTS", "max_attempts", "a number from 1")?;
        if let Some(attempts) = attempts {
            retry = retry.with_max_attempts(NonZeroU32::get(attempts));
        }
        let mode = settings.read("AWS_RETRY_MODE", "retry_mode", "`standard` or `adaptive`")?;
        if let Some(mode) = mode {
            retry = retry.with_retry_mode(RetryMode::clone(&mode));
        }
        let region = env
            .get("AWS_REGION")
            .or_else(|_| env.get("AWS_DEFAULT_REGION"));
        Ok(Self {
            name: name.to_owned(),
            region: region
                .ok()
                .or_else(|| profiles.get("region").map(str::to_owned)),
            retry,
        })
    }
}

fn require(profiles: &ProfileSet, name: &str) -> Result<(), Error> {
    if name == DEFAULT || profiles.get_profile(name).is_some() {
        return Ok(());
    }
    let mut known: Vec<String> = profiles.profiles().map(str::to_owned).collect();
    known.sort();
    Err(Error::MissingProfile {
        profile: name.to_owned(),
        known,
    })
}

/// Where settings stand: the environment goes before the profile.
struct Settings<'a> {
    env: &'a Env,
    profiles: &'a ProfileSet,
}

impl Settings<'_> {
    fn read<T: std::str::FromStr>(
        &self,
        variable: &str,
        key: &str,
        expected: &'static str,
    ) -> Result<Option<T>, Error> {
        let (origin, value) = match (self.env.get(variable), self.profiles.get(key)) {
            (Ok(value), _) => (format!("`{variable}`"), value),
            (Err(_), Some(value)) => {
                let profile = self.profiles.selected_profile();
                (
                    format!("`{key}` of the profile `{profile}`"),
                    value.to_owned(),
                )
            }
            (Err(_), None) => return Ok(None),
        };
        match value.parse() {
            Ok(setting) => Ok(Some(setting)),
            Err(_) => Err(Error::Setting {
                origin,
                value,
                expected,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read_with(variables: &[(&str, &str)], named: Option<&str>) -> String {
        let fs = Fs::from_slice(&[(
            "/config",
            "[default]\nregion = eu-west-1\n[profile eager]\nmax_attempts = 0\n[profile sound]\n\
             max_attempts = 5\nretry_mode = adaptive\n[profile borrower]\nsource_profile = absent\n",
        )]);
        let config = [("AWS_CONFIG_FILE", "/config"), ("HOME", "/home")];
        let env = Env::from_slice(&[&config, variables].concat());
        match Profile::read(&env, &fs, named).await {
            Ok(profile) => format!(
                "{} {:?} {} {:?}",
                profile.name,
                profile.region,
                profile.retry.max_attempts(),
                profile.retry.mode()
            ),
            Err(error) => error.to_string(),
        }
    }

    #[tokio::test]
    async fn says_what_the_sdk_would_panic_about() {
        let answers = [
            read_with(&[], None).await,
            read_with(&[], Some("sound")).await,
            read_with(&[("AWS_PROFILE", "sound")], None).await,
            read_with(&[("AWS_PROFILE", "sound")], Some("absent")).await,
            read_with(&[("AWS_PROFILE", "absent")], None).await,
            read_with(&[], Some("borrower")).await,
            read_with(
                &[("AWS_PROFILE", "borrower"), ("AWS_ACCESS_KEY_ID", "AKIA")],
                None,
            )
            .await,
            read_with(&[], Some("eager")).await,
            read_with(&[("AWS_MAX_ATTEMPTS", "3")], Some("eager")).await,
            read_with(&[("AWS_MAX_ATTEMPTS", "many")], None).await,
            read_with(&[("AWS_RETRY_MODE", "legacy")], None).await,
            read_with(&[("AWS_DEFAULT_REGION", "eu-north-1")], None).await,
        ];
        insta::assert_debug_snapshot!(answers);
    }
}
