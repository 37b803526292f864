//! The environment as longshore reads it for the SDK.

use std::collections::HashMap;
use std::ffi::OsString;

use aws_config::SdkConfig;
use aws_types::os_shim_internal::Env;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

/// The variables that templates like to set to nothing when they have no value. The SDK would take
/// `AWS_REGION=` for a region without a name, and panic at `AWS_RETRY_MODE=`. What these say is
/// therefore read here and handed to the SDK, which cannot be given an environment.
const MAY_BE_EMPTY: [&str; 6] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_MAX_ATTEMPTS",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_RETRY_MODE",
];

/// These variables without those that are set to nothing and may be.
pub(super) fn environment(variables: impl Iterator<Item = (OsString, OsString)>) -> Env {
    let readable = variables
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let present = readable
        .filter(|(name, value)| !(value.is_empty() && MAY_BE_EMPTY.contains(&name.as_str())));
    Env::from(present.collect::<HashMap<_, _>>())
}

/// A configuration in which an endpoint that is set to nothing, as in `AWS_ENDPOINT_URL=`, is
/// absent. The SDK would panic at the first request.
pub(super) fn without_empty_endpoints(config: SdkConfig) -> SdkConfig {
    let endpoint = config.endpoint_url().filter(|url| !url.is_empty());
    let endpoint = endpoint.map(str::to_owned);
    let mut builder = config.clone().into_builder();
    builder.set_endpoint_url(endpoint);
    builder.service_config(NotEmpty(config)).build()
}

/// What the environment and the profiles say for one service.
#[derive(Debug)]
struct NotEmpty(SdkConfig);

impl LoadServiceConfig for NotEmpty {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let value = self.0.service_config()?.load_config(key)?;
        (!value.is_empty()).then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_to_nothing_is_absent() {
        let mut variables = MAY_BE_EMPTY.map(|name| (name, "")).to_vec();
        variables.extend([("AWS_REGION", ""), ("OTHER", ""), ("AWS_VAULT", "v")]);
        let env = environment(variables.into_iter().map(|(a, b)| (a.into(), b.into())));
        assert!(MAY_BE_EMPTY.iter().all(|name| env.get(name).is_err()));
        assert_eq!(env.get("OTHER").as_deref(), Ok(""));
        assert_eq!(env.get("AWS_VAULT").as_deref(), Ok("v"));
    }
}
