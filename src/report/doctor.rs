//! What a doctor found, as lines for people and as one JSON object, which `docs/commands.md`
//! documents.

use serde::Serialize;

use crate::doctor::{Check, Verdict};

use super::json::VERSION;

/// Every check on a line, its remedy on the next, and a line that counts.
pub fn check_lines(checks: &[Check]) -> String {
    let names: Vec<String> = checks.iter().map(full_name).collect();
    let width = names.iter().map(String::len).max().unwrap_or_default();
    let mut lines = Vec::new();
    for (check, name) in checks.iter().zip(&names) {
        let word = word(check.verdict);
        // What has several lines, such as the mistakes in a file, stays below its check.
        let message = check.message.replace('\n', "\n  ");
        lines.push(format!("{word:<WORD_WIDTH$}  {name:<width$}  {message}"));
        lines.extend(check.hint.iter().map(|hint| format!("  hint: {hint}")));
    }
    let Summary {
        ok,
        warning,
        failed,
        not_checked,
    } = Summary::of(checks);
    lines.push(format!(
        "\n{ok} ok, {warning} with a warning, {failed} failed, {not_checked} not checked"
    ));
    lines.join("\n")
}

/// As wide as the widest of the words.
const WORD_WIDTH: usize = "not checked".len();

fn full_name(check: &Check) -> String {
    match &check.subject {
        Some(subject) => format!("{} {subject}", check.name),
        None => check.name.to_owned(),
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "ok",
        Verdict::Warning => "warning",
        Verdict::Failed(_) => "failed",
        Verdict::NotChecked => "not checked",
    }
}

/// What a doctor found as one JSON object.
#[derive(Serialize)]
pub struct DoctorObject {
    version: u8,
    command: &'static str,
    summary: Summary,
    checks: Vec<CheckObject>,
}

#[derive(Default, Serialize)]
struct Summary {
    ok: usize,
    warning: usize,
    failed: usize,
    not_checked: usize,
}

#[derive(Serialize)]
struct CheckObject {
    name: &'static str,
    subject: Option<String>,
    status: &'static str,
    kind: Option<&'static str>,
    message: String,
    hint: Option<String>,
}

impl DoctorObject {
    /// The checks, in their order.
    pub fn new(checks: &[Check]) -> Self {
        Self {
            version: VERSION,
            command: "doctor",
            summary: Summary::of(checks),
            checks: checks.iter().map(CheckObject::new).collect(),
        }
    }
}

impl Summary {
    fn of(checks: &[Check]) -> Self {
        let mut summary = Self::default();
        for check in checks {
            *match check.verdict {
                Verdict::Ok => &mut summary.ok,
                Verdict::Warning => &mut summary.warning,
                Verdict::Failed(_) => &mut summary.failed,
                Verdict::NotChecked => &mut summary.not_checked,
            } += 1;
        }
        summary
    }
}

impl CheckObject {
    fn new(check: &Check) -> Self {
        Self {
            name: check.name,
            subject: check.subject.clone(),
            status: word(check.verdict),
            kind: match check.verdict {
                Verdict::Failed(kind) => Some(kind.as_str()),
                Verdict::Ok | Verdict::Warning | Verdict::NotChecked => None,
            },
            message: check.message.clone(),
            hint: check.hint.clone(),
        }
    }
}
