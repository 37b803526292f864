//! How images are scanned: the registry's setting and a repository's.

use serde::Deserialize;
use serde_json::{Value, json};

use super::exception::Exception;
use super::repositories::find_mut;
use crate::sandbox::repository::Scanning;
use crate::sandbox::scanning::{RegistryScanning, ScanningRule};
use crate::sandbox::state::State;

/// The most rules of a registry: one for each frequency but `MANUAL`, which is the lack of one.
const MOST_RULES: usize = 2;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SetScanning {
    repository_name: String,
    image_scanning_configuration: Scanning,
}

/// `PutImageScanningConfiguration`.
pub(super) fn set(state: &State, input: SetScanning) -> Result<Value, Exception> {
    let name = &input.repository_name;
    state.store.change(|inventory| {
        let repository = find_mut(state, inventory, name)?;
        let scanning = input.image_scanning_configuration;
        repository.settings.image_scanning_configuration = scanning;
        Ok(json!({
            "registryId": state.options.account_id,
            "repositoryName": name,
            "imageScanningConfiguration": repository.settings.image_scanning_configuration,
        }))
    })
}

/// `GetRegistryScanningConfiguration`.
pub(super) fn get_registry(state: &State) -> Value {
    json!({
        "registryId": state.options.account_id,
        "scanningConfiguration": state.store.read().scanning,
    })
}

/// `PutRegistryScanningConfiguration`.
pub(super) fn put_registry(state: &State, input: RegistryScanning) -> Result<Value, Exception> {
    let continuous = match input.scan_type.as_str() {
        "BASIC" => false,
        "ENHANCED" => true,
        _ => {
            let constraint = "Member must satisfy enum value set: [BASIC, ENHANCED]";
            return Err(Exception::invalid_parameter("scanType", constraint));
        }
    };
    let sound = |rule: &ScanningRule| {
        let frequency = match rule.scan_frequency.as_str() {
            "SCAN_ON_PUSH" | "MANUAL" => true,
            "CONTINUOUS_SCAN" => continuous,
            _ => false,
        };
        let mut filters = rule.repository_filters.iter();
        frequency && filters.all(|filter| filter.filter_type == "WILDCARD")
    };
    if input.rules.len() > MOST_RULES || !input.rules.iter().all(sound) {
        return Err(Exception::invalid_parameter(
            "rules",
            "at most two rules with wildcard filters; CONTINUOUS_SCAN needs the scan type ENHANCED",
        ));
    }
    state.store.change(|inventory| {
        inventory.scanning = input;
        Ok(json!({"registryScanningConfiguration": inventory.scanning}))
    })
}
