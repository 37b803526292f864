//! `longshore plan`.

use crate::cli::{self, Output, Talk};
use crate::event::{Event, Observer};
use crate::failure::{Failure, chain};
use crate::pipeline::{Plan, make_plan};
use crate::report::{PlanObject, plan_table};

use super::exit::Exit;
use super::{console, session};

/// Prints what `apply` would do and why; changes nothing.
pub(super) async fn plan(arguments: cli::Plan, talk: Talk) -> anyhow::Result<Exit> {
    let specification = session::specification(&arguments.selection).await?;
    let access = session::access(&specification, console::observer(talk)).await?;
    let plan = make_plan(specification.images, specification.repositories, &access).await;
    tell_failures(&plan, &*access.observer);
    match arguments.data.output {
        Output::Text => console::print(&plan_table(&plan))?,
        Output::Json => console::print_json(&PlanObject::new(&plan))?,
    }
    Ok(Exit::of_plan(&plan, arguments.detailed_exitcode))
}

/// A plan fails in the words in which applying it would.
fn tell_failures(plan: &Plan, observer: &dyn Observer) {
    for image in &plan.images {
        if let Err(error) = &image.decision {
            observer.observe(Event::Failed {
                image: image.destination.clone(),
                reason: chain(error),
                hint: error.hint(),
            });
        }
    }
}
