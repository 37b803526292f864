//! `longshore plan`.

use crate::cli::{self, Output, Talk};
use crate::pipeline::make_plan;
use crate::report::{PlanObject, plan_table, tell_failures};

use super::exit::Exit;
use super::{console, session};

/// Prints what `apply` would do and why; changes nothing.
pub(super) async fn plan(arguments: cli::Plan, talk: Talk) -> anyhow::Result<Exit> {
    let specification = session::specification(&arguments.selection).await?;
    let access = session::access(&specification, console::observer(talk)).await?;
    let plan = make_plan(specification, &access).await?;
    tell_failures(&plan, &*access.observer);
    match arguments.data.output {
        Output::Text => console::print(&plan_table(&plan))?,
        Output::Json => console::print_json(&PlanObject::new(&plan))?,
    }
    Ok(Exit::of_plan(&plan, arguments.detailed_exitcode))
}
