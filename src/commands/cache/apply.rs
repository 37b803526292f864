//! `longshore cache apply`.

use crate::cache::{self, make_plan};
use crate::cli::{self, Output, Talk};
use crate::commands::exit::Exit;
use crate::commands::{console, session};
use crate::event::Event;
use crate::report::{CacheOutcomeObject, cache_deletions, cache_outcome_table, error_text};

use super::plan::{choices, warn};
use super::unknown::known;

/// Brings rules, secrets and templates into line with the file, and asks each upstream.
pub(in crate::commands) async fn apply(
    arguments: cli::CacheApply,
    talk: Talk,
) -> anyhow::Result<Exit> {
    let specification = session::whole_specification(&arguments.file).await?;
    let cache = known(&specification)?;
    let access = session::cache(&specification).await?;
    warn(cache, &access);
    let plan = make_plan(cache, choices(arguments.choices), &access).await?;
    let observer = console::observer(talk);
    for name in cache_deletions(&plan) {
        observer.observe(Event::Deleting { name, digest: None });
    }
    let outcome = cache::apply(plan, &access).await;
    for error in outcome.failures() {
        console::say(&error_text(error));
    }
    match arguments.data.output {
        Output::Text => console::print(&cache_outcome_table(&outcome))?,
        Output::Json => console::print_json(&CacheOutcomeObject::new(&outcome))?,
    }
    Ok(Exit::of_cache_outcome(&outcome))
}
