//! Plans and outcomes as tables for people.

use comfy_table::{ContentArrangement, Table, presets};

use crate::failure::{Failure, chain};
use crate::image::{Digest, Reference};
use crate::pipeline::{Action, ImagePlan, Outcome, Plan, Status};

use super::lines::{count, name};

/// Spaces between two columns.
const COLUMN_GAP: u16 = 2;

/// A plan: a row per repository to create and per destination tag, then a line that counts.
pub fn plan_table(plan: &Plan) -> String {
    let mut table = table(["ACTION", "DESTINATION", "SOURCE", "REASON"]);
    for repository in &plan.create {
        table.add_row(["create", repository.as_str(), "", "no repository"]);
    }
    let (mut changes, mut failures, mut hints) = (0, 0, Vec::new());
    for image in &plan.images {
        let (action, reason) = match &image.decision {
            Ok(decision) => (action_word(&decision.action), decision.reason.to_string()),
            Err(error) => {
                failures += 1;
                hints.extend(error.hint());
                ("error", chain(error))
            }
        };
        changes += usize::from(action == "build");
        let [destination, source] = [name(&image.destination), source(image)];
        table.add_row([action, &destination, &source, &reason]);
    }
    let others = plan.images.len() - changes - failures;
    let mut summary = format!(
        "{} to build, {others} to leave as they are",
        count(changes, "image")
    );
    if !plan.create.is_empty() {
        let create = count(plan.create.len(), "repository");
        summary = format!("{create} to create, {summary}");
    }
    if failures > 0 {
        summary = format!("{summary}, {failures} cannot be planned");
    }
    finish(&table, &summary, hints)
}

/// An outcome: a row per destination tag, then a line that counts.
pub fn outcome_table(outcome: &Outcome) -> String {
    let mut table = table(["STATUS", "DESTINATION", "DIGEST", "REASON"]);
    let mut counts = [0usize; 4];
    for image in &outcome.images {
        let reason = match &image.plan.decision {
            Ok(decision) => decision.reason.to_string(),
            Err(_) => String::new(),
        };
        let (place, word, digest, reason) = match &image.status {
            Status::Done { digest, .. } => (0, "done", digest.to_string(), reason),
            Status::InPlace { digest } => (1, "in place", digest.to_string(), reason),
            Status::Left => (2, "skipped", held(&image.plan), reason),
            Status::Failed(error) => (3, "failed", String::new(), error.to_string()),
        };
        counts[place] += 1;
        table.add_row([word, &name(&image.plan.destination), &digest, &reason]);
    }
    let [done, in_place, skipped, failed] = counts;
    let summary = format!("{done} done, {in_place} in place, {skipped} skipped, {failed} failed");
    finish(&table, &summary, Vec::new())
}

/// The action's word, in tables and JSON.
pub(super) fn action_word(action: &Action) -> &'static str {
    match action {
        Action::Build { .. } => "build",
        Action::Skip { .. } | Action::NoRepository => "skip",
        Action::Keep { .. } => "keep",
    }
}

/// What an image that is left alone holds.
fn held(plan: &ImagePlan) -> String {
    plan.held().map(Digest::to_string).unwrap_or_default()
}

fn source(image: &ImagePlan) -> String {
    let Some(digest) = &image.source_digest else {
        return image.image.source.familiar();
    };
    let unpinned = Reference {
        digest: None,
        ..image.image.source.clone()
    };
    format!(
        "{}@{}:{}",
        unpinned.familiar(),
        digest.algorithm(),
        digest.short()
    )
}

fn table(header: [&str; 4]) -> Table {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header);
    for column in table.column_iter_mut() {
        column.set_padding((0, COLUMN_GAP));
    }
    table
}

fn finish(table: &Table, summary: &str, mut hints: Vec<String>) -> String {
    hints.sort_unstable();
    hints.dedup();
    let mut text = table.trim_fmt();
    text.push_str("\n\n");
    text.push_str(summary);
    for hint in hints {
        text.push_str("\nhint: ");
        text.push_str(&hint);
    }
    text
}
