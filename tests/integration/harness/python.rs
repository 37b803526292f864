//! What Python, which moto needs anyway, does for the tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::service;

/// The interpreter that moto is installed for; it has a YAML reader.
pub(super) fn python() -> PathBuf {
    let moto = PathBuf::from(service("LONGSHORE_TEST_MOTO_SERVER"));
    moto.with_file_name("python")
}

/// A text of YAML, read by a reader that is not ours. It takes `on`, `yes` and `off` for booleans.
#[track_caller]
pub(crate) fn yaml(text: &str) -> Value {
    try_yaml(text).unwrap_or_else(|error| panic!("{error}"))
}

/// The same for a text that may be none of YAML.
pub(crate) fn try_yaml(text: &str) -> Result<Value, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("text.yaml");
    fs::write(&file, text).unwrap();
    let program = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))";
    let output = Command::new(python())
        .args(["-c", program])
        .arg(&file)
        .output()
        .unwrap();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(serde_json::from_slice(&output.stdout).unwrap())
}

/// What IAM's linter finds in the policies of a folder.
pub(crate) fn findings(folder: &Path) -> Vec<String> {
    let output = Command::new(service("LONGSHORE_TEST_PARLIAMENT"))
        .args(["--json", "--directory"])
        .arg(folder)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!stderr.contains("Traceback"), "{stderr}");
    let stdout = String::from_utf8(output.stdout).unwrap();
    let found = stdout.lines().map(|line| {
        let finding: Value = serde_json::from_str(line).unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let file = text(&finding["location"]["filepath"]);
        let file = file.rsplit('/').next().unwrap_or_default();
        let (issue, detail) = (text(&finding["issue"]), text(&finding["detail"]));
        format!("{file}: {issue}: {detail}")
    });
    let found: Vec<String> = found.collect();
    assert_eq!(output.status.success(), found.is_empty(), "{stderr}");
    found
}
