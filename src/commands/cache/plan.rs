//! `longshore cache plan`.

use crate::cache::{self, Access, Choices, make_plan};
use crate::cli::{self, Output};
use crate::commands::exit::Exit;
use crate::commands::{console, session};
use crate::config::CacheSpecification;
use crate::report::{CachePlanObject, cache_plan_table, error_text};

use super::unknown::known;

/// Prints what `cache apply` would do and why; changes nothing.
pub(in crate::commands) async fn plan(arguments: cli::CachePlan) -> anyhow::Result<Exit> {
    let specification = session::whole_specification(&arguments.file).await?;
    let cache = known(&specification)?;
    let access = session::cache(&specification).await?;
    warn(cache, &access);
    let plan = make_plan(cache, choices(arguments.choices), &access).await?;
    for item in &plan.items {
        if let Err(error) = &item.decision {
            console::say(&error_text(error));
        }
    }
    match arguments.data.output {
        Output::Text => console::print(&cache_plan_table(&plan))?,
        Output::Json => console::print_json(&CachePlanObject::new(&plan))?,
    }
    Ok(Exit::of_cache_plan(
        &plan,
        arguments.answer.detailed_exitcode,
    ))
}

/// Says what may keep all rules from being made.
pub(super) fn warn(cache: &CacheSpecification, access: &Access) {
    let doubt = cache::doubt(&access.region).filter(|_| !cache.rules.is_empty());
    if let Some(doubt) = doubt {
        console::say(&format!("warning: {doubt}"));
    }
}

/// What the arguments let a run do.
pub(super) fn choices(arguments: cli::CacheChoices) -> Choices {
    Choices {
        allow_replace: arguments.allow_replace,
        prune: arguments.prune,
        existing: arguments.existing,
    }
}
