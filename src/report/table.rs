//! Plans and outcomes as tables for people. Digests are short here; JSON has them whole.

use std::error::Error;
use std::fmt;

use comfy_table::{ContentArrangement, Table, presets};

use crate::image::Digest;
use crate::pipeline::{Action, ImagePlan, Outcome, Plan, Status, Unlisted, Work};

use super::quantity::{bytes, count};
use super::upkeep_table::{outcome_sections, plan_sections};
use super::wording::name;

/// Spaces between two columns.
const COLUMN_GAP: u16 = 2;

/// A plan: a row per repository to create and per destination tag, then a line that counts; then
/// what there is beside the images.
pub fn plan_table(plan: &Plan) -> String {
    let mut table = table(["ACTION", "DESTINATION", "SOURCE", "REASON"]);
    for repository in &plan.create {
        table.add_row(["create", repository.as_str(), "", "new repository"]);
    }
    let mut counts = Counts::default();
    for Unlisted { source, error } in &plan.unlisted {
        counts.failed += 1;
        table.add_row(["error", "", &source.familiar(), &root_cause(error)]);
    }
    for image in &plan.images {
        let (word, reason) = match &image.decision {
            Ok(decision) => {
                counts.add(&decision.action);
                (action_word(&decision.action), decision.reason.to_string())
            }
            Err(error) => {
                counts.failed += 1;
                ("error", root_cause(error))
            }
        };
        let [destination, source] = [name(&image.destination), source(image)];
        table.add_row([word, &destination, &source, &reason]);
    }
    let create = match plan.create.len() {
        0 => String::new(),
        number => format!("{} to create, ", count(number, "repository")),
    };
    let sections = plan_sections(plan);
    format!("{}\n\n{create}{counts}{sections}", table.trim_fmt())
}

/// How many images a plan treats in which way.
#[derive(Default)]
struct Counts {
    build: usize,
    derive: usize,
    copy: usize,
    in_place: usize,
    skipped: usize,
    failed: usize,
}

impl Counts {
    fn add(&mut self, action: &Action) {
        let counter = match action {
            Action::Make(Work::Build { .. }) => &mut self.build,
            Action::Make(Work::Derive { .. }) => &mut self.derive,
            Action::Make(Work::Export { .. } | Work::Copy { .. } | Work::Refer { .. }) => {
                &mut self.copy
            }
            Action::Skip { .. } => &mut self.in_place,
            Action::Keep { .. } | Action::NoRepository => &mut self.skipped,
        };
        *counter += 1;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            build,
            derive,
            copy,
            in_place,
            skipped,
            failed,
        } = self;
        write!(
            formatter,
            "{} to build, {derive} to derive, {copy} to copy, {in_place} in place, {skipped} \
             skipped, {failed} failed",
            count(*build, "image")
        )
    }
}

/// An outcome: a row per destination tag, then a line that counts.
pub fn outcome_table(outcome: &Outcome) -> String {
    let mut table = table(["STATUS", "DESTINATION", "DIGEST", "REASON"]);
    let mut counts = [0usize; 4];
    for Unlisted { source, error } in &outcome.unlisted {
        counts[3] += 1;
        table.add_row(["failed", &source.familiar(), "", &root_cause(error)]);
    }
    for image in &outcome.images {
        let reason = match &image.plan.decision {
            Ok(decision) => decision.reason.to_string(),
            Err(_) => String::new(),
        };
        let (place, word, digest, reason) = match &image.status {
            Status::Done { digest, .. } => (0, "done", Some(digest), reason),
            Status::InPlace { digest } => (1, "in place", Some(digest), reason),
            Status::Left => (2, "skipped", image.plan.held.as_ref(), reason),
            Status::Failed(error) => (3, "failed", None, root_cause(error)),
        };
        counts[place] += 1;
        let digest = digest.map(short).unwrap_or_default();
        table.add_row([word, &name(&image.plan.destination), &digest, &reason]);
    }
    let [done, in_place, skipped, failed] = counts;
    let sent = match outcome.traffic().bytes {
        0 => String::new(),
        sent => format!("; {} sent", bytes(sent)),
    };
    let summary =
        format!("{done} done, {in_place} in place, {skipped} skipped, {failed} failed{sent}");
    let sections = outcome_sections(outcome);
    format!("{}\n\n{summary}{sections}", table.trim_fmt())
}

/// The action's word, in tables and JSON.
pub(super) fn action_word(action: &Action) -> &'static str {
    match action {
        Action::Make(Work::Build { .. }) => "build",
        Action::Make(Work::Derive { .. }) => "derive",
        Action::Make(Work::Export { .. } | Work::Copy { .. } | Work::Refer { .. }) => "copy",
        Action::Skip { .. } => "in place",
        Action::Keep { .. } => "keep",
        Action::NoRepository => "skip",
    }
}

/// The cause at the bottom of an error; stderr has the whole of it.
pub(super) fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

fn source(image: &ImagePlan) -> String {
    let unpinned = image.image.source.unpinned().familiar();
    match &image.source_digest {
        Some(digest) => format!("{unpinned}@{}", short(digest)),
        None => unpinned,
    }
}

/// A digest in few digits.
pub(super) fn short(digest: &Digest) -> String {
    format!("{}:{}", digest.algorithm(), digest.short())
}

pub(super) fn table<const N: usize>(header: [&str; N]) -> Table {
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
