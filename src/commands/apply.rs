//! `longshore apply`.

use crate::cli::{self, Output, Talk};
use crate::pipeline::{self, Cleanup, Effort, make_plan};
use crate::report::{OutcomeObject, outcome_table, tell_unknown_orphans, tell_unlisted};

use super::exit::Exit;
use super::{console, partition, session, upkeep};

/// Brings every image into place. Where this is dropped, `cleanup` has what is left to do.
pub(super) async fn apply(
    arguments: cli::Apply,
    talk: Talk,
    cleanup: &Cleanup,
) -> anyhow::Result<Exit> {
    let choices = upkeep::of_apply(arguments.upkeep);
    let partition = partition::choose(arguments.sharding, choices, false)?;
    let specification = session::specification(&arguments.selection).await?;
    upkeep::check(choices, &arguments.selection, &specification)?;
    let (specification, part) = partition::take(partition, specification);
    let access = session::access(&specification, console::observer(talk)).await?;
    let plan = make_plan(specification, choices, &access).await?;
    let effort = Effort {
        jobs: arguments.jobs,
        build_jobs: arguments.building.build_jobs.flatten(),
        keep_local: arguments.building.keep_local,
        waits: arguments.patience.wait,
    };
    tell_unlisted(&plan.unlisted, &*access.observer);
    tell_unknown_orphans(&plan, &*access.observer);
    let outcome = pipeline::apply(plan, &access, effort, cleanup).await;
    match arguments.data.output {
        Output::Text => console::print(&outcome_table(&outcome))?,
        Output::Json => console::print_json(&OutcomeObject::new("apply", &outcome, part))?,
    }
    Ok(Exit::of_outcome(&outcome))
}
