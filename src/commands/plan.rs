//! `longshore plan`.

use std::path::Path;

use crate::cli::{self, Output, Talk};
use crate::config::LockError;
use crate::pipeline::{self, Access, Plan, make_plan};
use crate::report::{PlanObject, plan_table, tell_failure, tell_failures};

use super::exit::Exit;
use super::{console, partition, session, upkeep};

/// Prints what `apply` would do and why; changes nothing but the lock that it was asked for.
pub(super) async fn plan(arguments: cli::Plan, talk: Talk) -> anyhow::Result<Exit> {
    let path = session::given_path(arguments.lock.as_ref());
    if path.is_some() && !arguments.selection.images.is_empty() {
        return Err(LockError::Narrowed.into());
    }
    let choices = upkeep::of_plan(arguments.upkeep, arguments.orphans);
    let partition = partition::choose(arguments.sharding, choices, path.is_some())?;
    let specification = session::specification(&arguments.selection).await?;
    upkeep::check(choices, &arguments.selection, &specification)?;
    let (specification, part) = partition::take(partition, specification);
    let access = session::access(&specification, console::observer(talk)).await?;
    let plan = make_plan(specification, choices, &access).await?;
    tell_failures(&plan, &*access.observer);
    pipeline::foresee(&plan, &access);
    let is_locked = match path {
        Some(path) => lock(&plan, path, &access).await?,
        None => true,
    };
    match arguments.data.output {
        Output::Text => console::print(&plan_table(&plan))?,
        Output::Json => console::print_json(&PlanObject::new(&plan, part))?,
    }
    Ok(
        match Exit::of_plan(&plan, arguments.answer.detailed_exitcode) {
            Exit::Success | Exit::Changes if !is_locked => Exit::Failed,
            exit => exit,
        },
    )
}

/// Writes the lock of a plan; false where it would not be whole. The old one stays then: a lock that
/// lacks an image could not be used.
async fn lock(plan: &Plan, path: &Path, access: &Access) -> Result<bool, LockError> {
    let (lock, failures) = pipeline::lock(plan, access).await;
    for (image, error) in &failures {
        tell_failure(image, error, &*access.observer);
    }
    if let Some(lock) = &lock {
        lock.write(path)?;
    } else {
        console::say(&format!(
            "warning: the lock `{}` is not written, because not every tag could be resolved",
            path.display()
        ));
    }
    Ok(lock.is_some())
}
