//! `longshore doctor`.

use crate::cli::{self, Output, Talk};
use crate::config::{DocumentError, Specification};
use crate::doctor::{Check, examine};
use crate::failure::{Failure, Kind};
use crate::report::{DoctorObject, check_lines};

use super::exit::{Exit, find_failure};
use super::{console, session};

const FILE: &str = "file";

/// Checks everything and prints a line for each check.
pub(super) async fn doctor(arguments: cli::Doctor, talk: Talk) -> anyhow::Result<Exit> {
    let (file, specification) = file(&arguments.file).await;
    let (subject, wrong) = session::subject(specification, console::observer(talk));
    let mut checks = vec![file];
    let wrong = wrong.iter().map(|(name, error)| failed(name, error));
    checks.extend(wrong);
    checks.extend(examine(&subject).await);
    match arguments.data.output {
        Output::Text => console::print(&check_lines(&checks))?,
        Output::Json => console::print_json(&DoctorObject::new(&checks))?,
    }
    Ok(Exit::of_checks(&checks))
}

/// What the file says. That there is none is no failure, unless one was named.
async fn file(file: &cli::File) -> (Check, Option<Specification>) {
    match session::whole_specification(file).await {
        Ok(specification) => {
            let (named, listed) = (specification.images.len(), specification.patterns.len());
            let cache = specification.cache.as_ref();
            let rules = cache.map(|cache| format!(", rules of the cache: {}", cache.rules.len()));
            let rules = rules.unwrap_or_default();
            let message = format!("sound; tags by name: {named}, by patterns: {listed}{rules}");
            (Check::ok(FILE, message), Some(specification))
        }
        Err(error) => {
            let missing = matches!(error.downcast_ref(), Some(DocumentError::Missing { .. }));
            let check = if missing {
                Check::not_checked(FILE, "there is none: only Docker and AWS are looked at")
            } else {
                failed(FILE, &error)
            };
            (check, None)
        }
    }
}

fn failed(name: &'static str, error: &anyhow::Error) -> Check {
    let failure = find_failure(error);
    let kind = failure.map_or(Kind::Permanent, Failure::kind);
    Check::failed(name, kind, format!("{error:#}")).with_hint(failure.and_then(Failure::hint))
}
