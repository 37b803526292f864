//! What plans and outcomes say beyond their images, as tables: repositories that are not what the
//! file says, and what it no longer names.

use crate::pipeline::{Concern, Drift, Fate, Orphan, Outcome, Plan, Repair};

use super::quantity::count;
use super::table::{root_cause, short, table};

/// The sections of a plan that follow its images; empty where there is nothing to say.
pub(super) fn plan_sections(plan: &Plan) -> String {
    let orphans = plan.orphans.iter().flatten().flatten();
    let drift = drift(&plan.drift, plan.choices.drift == Concern::Changed);
    drift + &orphan_rows(orphans, plan.prunes())
}

/// The sections of an outcome that follow its images; empty where there is nothing to say.
pub(super) fn outcome_sections(outcome: &Outcome) -> String {
    repairs(&outcome.repairs) + &pruned(outcome)
}

fn drift(drift: &[Drift], repairs: bool) -> String {
    let mut rows = table(["ACTION", "REPOSITORY", "SETTING", "REASON"]);
    let mut failed = 0;
    for drift in drift {
        let obstacle = drift.obstacle();
        failed += usize::from(obstacle.is_some());
        let action = match &obstacle {
            Some(_) if repairs => "error",
            _ => drift_word(repairs),
        };
        let reason = match (&drift.difference, obstacle) {
            (Err(error), _) => root_cause(error),
            (Ok(difference), None) => difference.to_string(),
            (Ok(difference), Some(_)) => format!("{difference}; nothing can change it"),
        };
        rows.add_row([action, drift.repository.as_str(), drift.setting, &reason]);
    }
    let changeable = drift.len() - failed;
    let summary = match (repairs, changeable) {
        (true, _) => format!(
            "{} to update, {failed} failed",
            count(changeable, "setting")
        ),
        (false, 0) => "no setting that `--repair-repositories` would change".to_owned(),
        (false, _) => format!(
            "{} that `--repair-repositories` would change",
            count(changeable, "setting")
        ),
    };
    section(drift.is_empty(), &rows.trim_fmt(), &summary)
}

fn orphan_rows<'a>(orphans: impl Iterator<Item = &'a Orphan>, prunes: bool) -> String {
    let mut rows = table(["ACTION", "ORPHAN", "DIGEST", "REASON"]);
    let action = orphan_word(prunes);
    let mut number = 0;
    for orphan in orphans {
        for (tag, digest) in &orphan.tags {
            let name = format!("{}:{tag}", orphan.repository);
            rows.add_row([action, &name, &short(digest), "the file does not name it"]);
            number += 1;
        }
        if orphan.is_whole {
            let reason = "the file names nothing of the repository";
            rows.add_row([action, orphan.repository.as_str(), "", reason]);
            number += 1;
        }
    }
    let summary = if prunes {
        format!("{} to delete", count(number, "orphan"))
    } else {
        format!(
            "{} that `--prune-orphans` would delete",
            count(number, "orphan")
        )
    };
    section(number == 0, &rows.trim_fmt(), &summary)
}

fn repairs(repairs: &[Repair]) -> String {
    let mut rows = table(["STATUS", "REPOSITORY", "SETTING", "REASON"]);
    let mut failed = 0;
    for Repair { drift, result } in repairs {
        let (status, reason) = match (result, &drift.difference) {
            (Ok(()), Ok(difference)) => ("updated", difference.to_string()),
            (Err(error), _) | (_, Err(error)) => {
                failed += 1;
                ("failed", root_cause(error))
            }
        };
        rows.add_row([status, drift.repository.as_str(), drift.setting, &reason]);
    }
    let updated = count(repairs.len() - failed, "setting");
    let summary = format!("{updated} updated, {failed} failed");
    section(repairs.is_empty(), &rows.trim_fmt(), &summary)
}

fn pruned(outcome: &Outcome) -> String {
    let mut rows = table(["STATUS", "ORPHAN", "DIGEST", "REASON"]);
    let [mut deleted, mut left, mut failed] = [0_usize; 3];
    for pruned in outcome.pruned() {
        let (name, digest) = match &pruned.tag {
            Some((tag, digest)) => (format!("{}:{tag}", pruned.repository), short(digest)),
            None => (pruned.repository.to_string(), String::new()),
        };
        let (status, counter, reason) = match &pruned.fate {
            Fate::Deleted => ("deleted", &mut deleted, String::new()),
            Fate::Left => ("orphan", &mut left, "something else failed".to_owned()),
            Fate::Failed(error) => ("failed", &mut failed, root_cause(error)),
        };
        *counter += 1;
        rows.add_row([status, &name, &digest, &reason]);
    }
    let summary = format!("{deleted} deleted, {left} left, {failed} failed");
    let is_empty = deleted + left + failed == 0;
    section(is_empty, &rows.trim_fmt(), &summary)
}

/// The word for a repository that is not what the file says, in tables and JSON.
pub(super) fn drift_word(repairs: bool) -> &'static str {
    if repairs { "update" } else { "drift" }
}

/// The word for what the file no longer names, in tables and JSON.
pub(super) fn orphan_word(prunes: bool) -> &'static str {
    if prunes { "delete" } else { "orphan" }
}

fn section(is_empty: bool, rows: &str, summary: &str) -> String {
    if is_empty {
        String::new()
    } else {
        format!("\n\n{rows}\n\n{summary}")
    }
}
