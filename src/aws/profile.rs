//! The selected profile, looked at before the SDK does.

use std::borrow::Cow;

use aws_config::profile;
#[expect(
    deprecated,
    reason = "its successor is in a crate that is the SDK's own"
)]
use aws_config::profile::profile_file::ProfileFiles;
use aws_config::retry::RetryMode;
use aws_types::os_shim_internal::{Env, Fs};

use super::Error;

/// A setting of the SDK that makes it panic when it is wrong.
struct Setting {
    variable: &'static str,
    key: &'static str,
    expected: &'static str,
    is_sound: fn(&str) -> bool,
}

const SETTINGS: [Setting; 2] = [
    Setting {
        variable: "AWS_MAX_ATTEMPTS",
        key: "max_attempts",
        expected: "a number from 1",
        is_sound: |text| text.parse::<u32>().is_ok_and(|attempts| attempts > 0),
    },
    Setting {
        variable: "AWS_RETRY_MODE",
        key: "retry_mode",
        expected: "`standard` or `adaptive`",
        is_sound: |text| text.parse::<RetryMode>().is_ok(),
    },
];

/// The profile that is selected when nobody names one. It need not exist.
pub(super) const DEFAULT: &str = "default";

/// Checks that the selected profile and the one whose credentials it borrows exist, which the
/// SDK treats as having found no credentials, and that its settings and the environment's will not make the SDK panic.
pub(super) async fn check(env: &Env, fs: &Fs, named: Option<&str>) -> Result<(), Error> {
    #[expect(deprecated, reason = "see the import")]
    let files = ProfileFiles::default();
    let selected = named.map(|name| Cow::Owned(name.to_owned()));
    let profiles = profile::load(fs, env, &files, selected).await?;
    let name = profiles.selected_profile();
    let is_used = named.is_some() || env.get("AWS_ACCESS_KEY_ID").is_err();
    let lender = profiles.get("source_profile").filter(|_| is_used);
    for wanted in [Some(name), lender] {
        let wanted = wanted.unwrap_or(DEFAULT);
        if wanted != DEFAULT && profiles.get_profile(wanted).is_none() {
            let mut known: Vec<String> = profiles.profiles().map(str::to_owned).collect();
            known.sort();
            return Err(Error::MissingProfile {
                profile: wanted.to_owned(),
                known,
            });
        }
    }
    for setting in SETTINGS {
        let (origin, value) = match env.get(setting.variable) {
            Ok(value) => (format!("`{}`", setting.variable), value),
            Err(_) => match profiles.get(setting.key) {
                Some(value) => (
                    format!("`{}` of the profile `{name}`", setting.key),
                    value.to_owned(),
                ),
                None => continue,
            },
        };
        if !(setting.is_sound)(&value) {
            return Err(Error::Setting {
                origin,
                value,
                expected: setting.expected,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn check_with(variables: &[(&str, &str)], named: Option<&str>) -> String {
        let fs = Fs::from_slice(&[(
            "/config",
            "[default]\nregion = eu-west-1\n[profile eager]\nmax_attempts = 0\n[profile sound]\n\
             max_attempts = 5\nretry_mode = adaptive\n[profile borrower]\nsource_profile = absent\n",
        )]);
        let config = [("AWS_CONFIG_FILE", "/config"), ("HOME", "/home")];
        let env = Env::from_slice(&[&config, variables].concat());
        match check(&env, &fs, named).await {
            Ok(()) => "sound".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[tokio::test]
    async fn says_what_the_sdk_would_panic_about() {
        let answers = [
            check_with(&[], None).await,
            check_with(&[], Some("sound")).await,
            check_with(&[("AWS_PROFILE", "sound")], None).await,
            check_with(&[("AWS_PROFILE", "sound")], Some("absent")).await,
            check_with(&[("AWS_PROFILE", "absent")], None).await,
            check_with(&[], Some("borrower")).await,
            check_with(
                &[("AWS_PROFILE", "borrower"), ("AWS_ACCESS_KEY_ID", "AKIA")],
                None,
            )
            .await,
            check_with(&[], Some("eager")).await,
            check_with(&[("AWS_MAX_ATTEMPTS", "3")], Some("eager")).await,
            check_with(&[("AWS_MAX_ATTEMPTS", "many")], None).await,
            check_with(&[("AWS_RETRY_MODE", "")], None).await,
        ];
        insta::assert_debug_snapshot!(answers);
    }
}
