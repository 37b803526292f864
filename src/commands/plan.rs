//! `longshore plan`.

use crate::cli::{self, Output, Talk};
use crate::config::Specification;
use crate::pipeline::{Access, Plan, observe};
use crate::report::{PlanObject, plan_table};

use super::exit::Exit;
use super::{run, session};

/// Prints what `apply` would do and why; changes nothing.
pub(super) async fn plan(arguments: cli::Plan, talk: Talk) -> anyhow::Result<Exit> {
    let specification = session::specification(&arguments.selection)?;
    let access = session::access(&specification, run::observer(talk)).await?;
    let plan = make(specification, &access).await;
    match talk.output {
        Output::Text => run::print(&plan_table(&plan))?,
        Output::Json => run::print_json(&PlanObject::new(&plan))?,
    }
    Ok(Exit::of_plan(&plan, arguments.detailed_exitcode))
}

/// The one planner: `plan` prints what it finds, `apply` and `mirror` do it.
pub(super) async fn make(specification: Specification, access: &Access) -> Plan {
    let Specification {
        images,
        repositories,
        ..
    } = specification;
    let observations = observe(&images, &repositories, access).await;
    Plan::new(images, repositories, &access.destination, observations)
}
