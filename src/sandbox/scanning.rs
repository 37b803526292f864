//! How a registry scans its images: kept and given back, never done.

use serde::{Deserialize, Serialize};

/// The setting in ECR's own words.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RegistryScanning {
    pub(super) scan_type: String,
    pub(super) rules: Vec<ScanningRule>,
}

/// When the images of some repositories are scanned.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ScanningRule {
    pub(super) scan_frequency: String,
    pub(super) repository_filters: Vec<ScanningFilter>,
}

/// A pattern of repository names.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ScanningFilter {
    pub(super) filter: String,
    pub(super) filter_type: String,
}

impl Default for RegistryScanning {
    fn default() -> Self {
        Self {
            scan_type: "BASIC".to_owned(),
            rules: Vec::new(),
        }
    }
}
