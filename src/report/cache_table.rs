//! Plans and outcomes of the pull-through cache as tables for people.

use crate::cache::{Action, Answer, CacheUrl, Error, Item, Outcome, Part, Plan, how_to_fill};

use super::table::{root_cause, table};

/// What a plan says that touches a template, and no repository that exists.
const NEW_ONLY: &str = "a template counts for repositories that are created from now on; `--existing` brings those in line \
                        that exist";

/// A plan: a row per secret, template and rule, then a line that counts.
pub fn cache_plan_table(plan: &Plan) -> String {
    let mut table = table(["ACTION", "KIND", "NAME", "REASON"]);
    let mut counts = Counts::default();
    let mut updates_template = false;
    for item in &plan.items {
        let (action, reason) = match &item.decision {
            Ok(decision) => {
                let action = decision.action;
                updates_template |= item.part == Part::Template && action == Action::Update;
                (Some(action), cache_reason(action, &decision.changes))
            }
            Err(error) => (None, root_cause(error)),
        };
        counts.add(action);
        let word = action.map_or("error", action_word);
        table.add_row([word, part_word(item.part), &item.name, &reason]);
    }
    let parts = plan.items.iter().map(|item| item.part);
    let note = note(updates_template, parts);
    join([table.trim_fmt(), counts.to_text(), note.to_owned()])
}

/// An outcome: a row per secret, template and rule, what each upstream answered, and a line that
/// counts.
pub fn cache_outcome_table(outcome: &Outcome) -> String {
    let mut items = table(["STATUS", "KIND", "NAME", "REASON"]);
    let [mut done, mut in_place, mut left, mut failed] = [0_usize; 4];
    let mut updates_template = false;
    for item in &outcome.items {
        let (status, reason) = match (&item.result, item.action) {
            (Ok(()), Some(action)) => {
                updates_template |= item.part == Part::Template && action == Action::Update;
                match action {
                    Action::Unchanged => in_place += 1,
                    Action::Orphan | Action::Foreign => left += 1,
                    _ => done += 1,
                }
                (done_word(action), cache_reason(action, &item.changes))
            }
            (Err(error), _) => {
                failed += 1;
                ("failed", root_cause(error))
            }
            (Ok(()), None) => ("failed", String::new()),
        };
        items.add_row([status, part_word(item.part), &item.name, &reason]);
    }
    let mut answers = table(["UPSTREAM", "PREFIX", "ANSWER"]);
    for validation in &outcome.validations {
        let answer = match &validation.answer {
            Ok(answer) => answer_text(*answer).to_owned(),
            Err(error) => {
                failed += 1;
                refusal(error)
            }
        };
        answers.add_row([&validation.upstream, &validation.prefix, &answer]);
    }
    let answers = if outcome.validations.is_empty() {
        String::new()
    } else {
        answers.trim_fmt()
    };
    let counts = format!("{done} done, {in_place} in place, {left} left, {failed} failed");
    let parts = outcome.items.iter().map(|item| item.part);
    let note = note(updates_template, parts);
    let validations = outcome.validations.iter();
    let to_fill = validations.filter(|it| matches!(it.answer, Ok(Answer::SecretToFill)));
    let to_fill: Vec<String> = to_fill.map(|it| how_to_fill(&it.prefix)).collect();
    join([
        items.trim_fmt(),
        answers,
        counts,
        note.to_owned(),
        to_fill.join("\n"),
    ])
}

/// What is said of a template that changes, unless those that exist change with it.
fn note(updates_template: bool, mut parts: impl Iterator<Item = Part>) -> &'static str {
    if updates_template && parts.all(|part| part != Part::Repository) {
        NEW_ONLY
    } else {
        ""
    }
}

/// What to pull by: a line for each image, or for each rule with its upstream.
pub fn cache_url_lines(urls: &[CacheUrl]) -> String {
    let width = urls.iter().map(|url| url.upstream.len()).max();
    let width = width.unwrap_or_default();
    let line = |url: &CacheUrl| match &url.image {
        Some(_) => url.url.clone(),
        None => format!("{:width$}  {}", url.upstream, url.url),
    };
    urls.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// How many things a plan treats in which way.
#[derive(Default)]
struct Counts([usize; 7]);

impl Counts {
    fn add(&mut self, action: Option<Action>) {
        let place = match action {
            Some(Action::Create) => 0,
            Some(Action::Update) => 1,
            Some(Action::Replace) => 2,
            Some(Action::Delete) => 3,
            Some(Action::Unchanged) => 4,
            Some(Action::Orphan | Action::Foreign) => 5,
            None => 6,
        };
        self.0[place] += 1;
    }

    fn to_text(&self) -> String {
        let [create, update, replace, delete, unchanged, left, failed] = self.0;
        format!(
            "{create} to create, {update} to update, {replace} to replace, {delete} to delete, \
             {unchanged} unchanged, {left} left, {failed} failed"
        )
    }
}

/// The action's word, in tables and JSON.
pub(super) fn action_word(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Update => "update",
        Action::Replace => "replace",
        Action::Unchanged => "unchanged",
        Action::Delete => "delete",
        Action::Orphan => "orphan",
        Action::Foreign => "foreign",
    }
}

/// The word for an action that is done.
pub(super) fn done_word(action: Action) -> &'static str {
    match action {
        Action::Create => "created",
        Action::Update => "updated",
        Action::Replace => "replaced",
        Action::Unchanged => "unchanged",
        Action::Delete => "deleted",
        Action::Orphan => "orphan",
        Action::Foreign => "foreign",
    }
}

/// The word for what something is, in tables and JSON.
pub(super) fn part_word(part: Part) -> &'static str {
    match part {
        Part::Secret => "secret",
        Part::Template => "template",
        Part::Rule => "rule",
        Part::Repository => "repository",
        Part::Scanning => "scanning",
    }
}

/// The word for an upstream's answer.
pub(super) fn answer_text(answer: Answer) -> &'static str {
    match answer {
        Answer::Accepted => "the login is accepted",
        Answer::NoLogin => "read without a login",
        Answer::SecretToFill => "fill in the secret, then run again",
    }
}

/// What a plan would delete, each with what it is.
pub fn cache_deletions(plan: &Plan) -> impl Iterator<Item = String> {
    let goes = |item: &&Item| {
        let decision = item.decision.as_ref();
        decision.is_ok_and(|decision| decision.action == Action::Delete)
    };
    let items = plan.items.iter().filter(goes);
    items.map(|item| format!("{} {}", part_word(item.part), item.name))
}

/// Why something is done or left.
pub(super) fn cache_reason(action: Action, changes: &[&str]) -> String {
    match action {
        Action::Create => "new".to_owned(),
        Action::Unchanged => "up to date".to_owned(),
        Action::Update | Action::Replace => changes.join(", "),
        Action::Delete => "the file no longer names it".to_owned(),
        Action::Orphan => "the file no longer names it; `--prune` deletes it".to_owned(),
        Action::Foreign => "the file does not name it, and longshore did not make it".to_owned(),
    }
}

fn refusal(error: &Error) -> String {
    match error {
        Error::Refused { reason, .. } => reason.clone(),
        error => root_cause(error),
    }
}

/// The parts that are not empty, with a line between them.
fn join<const N: usize>(parts: [String; N]) -> String {
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("\n\n")
}
