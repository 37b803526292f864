//! `registry_scanning`: which repositories of the registry are scanned, and when.

use super::check::Checker;
use super::hint::suggest;
use super::mistakes::Located;
use super::written;
use crate::ecr::{RegistryScanning, ScanFrequency, ScanningRule};

/// Repository filters as `PutRegistryScanningConfiguration` takes them.
fn is_filter(text: &str) -> bool {
    let is_plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-./*".contains(&byte);
    (1..=256).contains(&text.len()) && text.bytes().all(is_plain)
}

pub(super) fn check(
    written: Located<written::RegistryScanning>,
    checker: &mut Checker<'_>,
) -> RegistryScanning {
    let Located {
        value:
            written::RegistryScanning {
                scan_type,
                scan_on_push,
                continuous_scan,
            },
        place,
    } = written;
    let enhanced = match scan_type.as_ref().map(|text| text.value.as_str()) {
        None | Some("BASIC") => false,
        Some("ENHANCED") => true,
        Some(other) => {
            let place = scan_type.as_ref().map_or(&place, |text| &text.place);
            let message = format!("`{other}` is no scan type of ECR");
            let hint = suggest(other, &["BASIC", "ENHANCED"], "write one of");
            checker.mistakes.add(place, message, hint);
            // What follows from it would be no mistake of its own.
            true
        }
    };
    if let Some(continuous) = continuous_scan.as_ref().filter(|_| !enhanced) {
        let message = "only the enhanced scanner scans again and again";
        let hint = "write `scan_type: ENHANCED` beside it".to_owned();
        checker.mistakes.add(&continuous.place, message, hint);
    }
    let rules = [
        (ScanFrequency::OnPush, scan_on_push),
        (ScanFrequency::Continuous, continuous_scan),
    ];
    let mut filters = |list: Located<Vec<Located<String>>>| -> Vec<String> {
        let list = list.value.into_iter();
        list.filter_map(|text| checker.shaped(text, is_filter, "a filter of names", "docker-hub/*"))
            .collect()
    };
    let rules = rules.into_iter().filter_map(|(frequency, list)| {
        let repositories = filters(list?);
        (!repositories.is_empty()).then_some(ScanningRule {
            frequency,
            repositories,
        })
    });
    RegistryScanning {
        rules: rules.collect(),
        enhanced,
    }
}
