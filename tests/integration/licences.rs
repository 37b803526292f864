//! Whatever longshore is made of may be given away with it.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use spdx::{Expression, LicenseReq, ParseMode};

/// The list in `deny.toml`, which reads like JSON but for the last comma.
fn allowed() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deny.toml");
    let text = fs::read_to_string(path).unwrap();
    let (_, rest) = text.split_once("\nallow = [").unwrap();
    let (list, _) = rest.split_once(']').unwrap();
    let list = list.trim_end().trim_end_matches(',');
    serde_json::from_str(&format!("[{list}]")).unwrap()
}

/// Every package that is built on this machine: its name, and its licence as it states it.
fn packages() -> Vec<(String, String)> {
    let version = Command::new("rustc").arg("-vV").output().unwrap().stdout;
    let version = String::from_utf8(version).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked", "--offline"])
        .args(["--filter-platform", host.unwrap()])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    packages
        .map(|package| (text(&package["name"]), text(&package["license"])))
        .collect()
}

fn is_allowed(licence: &str, allowed: impl Fn(&LicenseReq) -> bool) -> bool {
    // Older packages write `MIT/Apache-2.0`.
    Expression::parse_mode(licence, ParseMode::LAX)
        .is_ok_and(|expression| expression.evaluate(allowed))
}

#[test]
fn every_dependency_may_be_given_away() {
    let list = allowed();
    let packages = packages();
    assert!(packages.len() > 100, "{packages:?}");
    let without = |left_out: &str| {
        let is_listed = |license: &LicenseReq| {
            list.iter()
                .any(|name| name != left_out && *name == license.to_string())
        };
        let refused = packages
            .iter()
            .filter(|(_, licence)| !is_allowed(licence, is_listed));
        refused.cloned().collect::<Vec<_>>()
    };
    assert_eq!(without(""), []);
    // No licence is allowed that nobody has.
    let idle = list.iter().filter(|name| without(name).is_empty());
    assert_eq!(idle.collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn a_licence_that_is_not_allowed_is_found() {
    let list = allowed();
    let check = |licence: &str| {
        is_allowed(licence, |license| {
            list.iter().any(|name| *name == license.to_string())
        })
    };
    for good in ["MIT", "MIT/GPL-3.0-only", "GPL-2.0-only OR (ISC AND MIT)"] {
        assert!(check(good), "{good}");
    }
    for bad in ["", "GPL-3.0-only", "MIT AND MPL-2.0", "Ours"] {
        assert!(!check(bad), "{bad}");
    }
}
