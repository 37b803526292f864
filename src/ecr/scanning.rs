//! How a registry scans its images.

use aws_sdk_ecr::types::{
    RegistryScanningConfiguration, RegistryScanningRule, ScanFrequency as Frequency, ScanType,
    ScanningRepositoryFilter, ScanningRepositoryFilterType,
};

use super::{Ecr, Error};
use crate::aws;

/// How a registry, which is always the caller's own, scans its images.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RegistryScanning {
    /// Whether Amazon Inspector scans, which costs money; ECR's own scanner otherwise.
    pub enhanced: bool,
    /// Which repositories are scanned when; at most one rule for each frequency.
    pub rules: Vec<ScanningRule>,
}

/// When the images of some repositories are scanned.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ScanningRule {
    /// When.
    pub frequency: ScanFrequency,
    /// Patterns of repository names in which `*` stands for any text.
    pub repositories: Vec<String>,
}

/// When images are scanned.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ScanFrequency {
    /// Each image when it is pushed.
    OnPush,
    /// Each image again and again. Only the enhanced scanner does it.
    Continuous,
    /// Images for which somebody asks.
    Manual,
}

impl Ecr {
    /// How the registry scans.
    pub async fn registry_scanning(&self) -> Result<RegistryScanning, Error> {
        let get = self.client.get_registry_scanning_configuration();
        let output = get.send().await.map_err(|error| Error::Scanning {
            action: "read",
            source: aws::Error::from_sdk("ecr", "GetRegistryScanningConfiguration", error),
        })?;
        let found = output.scanning_configuration();
        Ok(found.map(read).unwrap_or_default())
    }

    /// Sets how the registry scans, all rules at once.
    pub async fn put_registry_scanning(&self, scanning: &RegistryScanning) -> Result<(), Error> {
        let scan_type = if scanning.enhanced {
            ScanType::Enhanced
        } else {
            ScanType::Basic
        };
        let rules = scanning.rules.iter().map(write).collect();
        let put = self.client.put_registry_scanning_configuration();
        let answer = put.scan_type(scan_type).set_rules(Some(rules)).send().await;
        answer.map(drop).map_err(|error| Error::Scanning {
            action: "set",
            source: aws::Error::from_sdk("ecr", "PutRegistryScanningConfiguration", error),
        })
    }
}

fn read(found: &RegistryScanningConfiguration) -> RegistryScanning {
    let rules = found.rules().iter().map(|rule| ScanningRule {
        frequency: match rule.scan_frequency() {
            Frequency::ScanOnPush => ScanFrequency::OnPush,
            Frequency::ContinuousScan => ScanFrequency::Continuous,
            _ => ScanFrequency::Manual,
        },
        repositories: rule
            .repository_filters()
            .iter()
            .map(|filter| filter.filter().to_owned())
            .collect(),
    });
    RegistryScanning {
        enhanced: found.scan_type() == Some(&ScanType::Enhanced),
        rules: rules.collect(),
    }
}

fn write(rule: &ScanningRule) -> RegistryScanningRule {
    let frequency = match rule.frequency {
        ScanFrequency::OnPush => Frequency::ScanOnPush,
        ScanFrequency::Continuous => Frequency::ContinuousScan,
        ScanFrequency::Manual => Frequency::Manual,
    };
    let filters = rule.repositories.iter().map(|pattern| {
        let filter = ScanningRepositoryFilter::builder().filter(pattern);
        let filter = filter.filter_type(ScanningRepositoryFilterType::Wildcard);
        filter.build().expect("pattern and type are set")
    });
    RegistryScanningRule::builder()
        .scan_frequency(frequency)
        .set_repository_filters(Some(filters.collect()))
        .build()
        .expect("frequency and filters are set")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::stand_in::StandIn;
    use super::*;

    #[tokio::test]
    async fn a_setting_is_kept() {
        let rules = json!([
            {
                "scanFrequency": "SCAN_ON_PUSH",
                "repositoryFilters": [{"filter": "*", "filterType": "WILDCARD"}],
            },
            {
                "scanFrequency": "CONTINUOUS_SCAN",
                "repositoryFilters": [{"filter": "docker-hub/*", "filterType": "WILDCARD"}],
            },
        ]);
        let setting = json!({"scanType": "ENHANCED", "rules": rules});
        let found = (200, json!({"scanningConfiguration": setting}));
        let api = StandIn::answering([found, (200, json!({}))]).await;
        let ecr = api.ecr(None);
        let scanning = ecr.registry_scanning().await.unwrap();
        let rule = |frequency, pattern: &str| ScanningRule {
            frequency,
            repositories: vec![pattern.to_owned()],
        };
        let expected = RegistryScanning {
            enhanced: true,
            rules: vec![
                rule(ScanFrequency::OnPush, "*"),
                rule(ScanFrequency::Continuous, "docker-hub/*"),
            ],
        };
        assert_eq!(scanning, expected);
        ecr.put_registry_scanning(&scanning).await.unwrap();
        assert_eq!(api.calls()[1].1, setting);
    }
}
