//! Every exit code, and how each error and outcome gets its own.

use std::error::Error;
use std::process::ExitCode;

use crate::doctor::{Check, Verdict};
use crate::failure::{Failure, Kind};
use crate::pipeline::{
    Concern, Drift, Fate, ImageOutcome, ImagePlan, OrphanError, Outcome, Plan, Status, StepError,
    Unlisted,
};
use crate::report::{MergeError, MergedReport};
use crate::{aws, cache, config, credentials, docker, ecr, registry};

/// The exit codes of longshore.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Exit {
    /// Everything is in place.
    Success = 0,
    /// Some image failed.
    Failed = 1,
    /// The arguments or the file are wrong; nothing was touched. clap uses this code too.
    Usage = 2,
    /// Credentials were refused everywhere they were needed.
    Refused = 3,
    /// Docker, a registry or AWS could not be reached, so that nothing could be done.
    Unreachable = 4,
    /// `plan --detailed-exitcode` found changes.
    Changes = 5,
    /// Interrupted by the user or the system.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl Exit {
    /// The code of an outcome: 1 when any image is in place or left as wished beside what failed,
    /// whatever failed it.
    pub fn of_outcome(outcome: &Outcome) -> Self {
        let fine = |image: &ImageOutcome| !matches!(image.status, Status::Failed(_));
        let done = outcome.images.iter().any(fine)
            || outcome.repairs.iter().any(|repair| repair.result.is_ok())
            || outcome.pruned().any(|it| matches!(it.fate, Fate::Deleted));
        let kinds = outcome
            .images
            .iter()
            .filter_map(|image| match &image.status {
                Status::Failed(error) => Some(error.kind()),
                _ => None,
            });
        let repairs = outcome.repairs.iter();
        let repairs = repairs.filter_map(|repair| repair.result.as_ref().err());
        let pruned = outcome.pruned().filter_map(|it| match &it.fate {
            Fate::Failed(error) => Some(error),
            Fate::Deleted | Fate::Left => None,
        });
        let unknown = outcome.pruned.iter().filter_map(|it| it.as_ref().err());
        let others = repairs.chain(pruned).chain(unknown).map(Failure::kind);
        let unlisted = kinds_of(&outcome.unlisted);
        Self::of_kinds(kinds.chain(unlisted).chain(others), done)
    }

    /// The code of a plan: that of applying it, as far as the plan can tell.
    pub fn of_plan(plan: &Plan, detailed: bool) -> Self {
        let failed: Vec<Kind> = plan.images.iter().filter_map(ImagePlan::failure).collect();
        let planned = failed.len() < plan.images.len();
        let repairs = plan.choices.drift == Concern::Changed;
        let obstacles = plan.drift.iter().filter_map(Drift::obstacle);
        let obstacles = obstacles.filter(|_| repairs).map(|error| error.kind());
        let unknown = plan.orphans.iter().filter_map(|it| it.as_ref().err());
        let kinds = failed
            .into_iter()
            .chain(kinds_of(&plan.unlisted))
            .chain(obstacles)
            .chain(unknown.map(Failure::kind));
        match Self::of_kinds(kinds, planned) {
            Self::Success if detailed && plan.has_changes() => Self::Changes,
            exit => exit,
        }
    }

    /// The code of joined reports: that of one run.
    pub fn of_report(report: &MergedReport, detailed: bool) -> Self {
        match Self::of_kinds(report.failures(), report.has_done_anything()) {
            Self::Success if detailed && report.has_changes() => Self::Changes,
            exit => exit,
        }
    }

    /// The code of a plan of the pull-through cache: that of applying it, as far as the plan can tell.
    pub fn of_cache_plan(plan: &cache::Plan, detailed: bool) -> Self {
        let failed = plan
            .items
            .iter()
            .filter_map(|item| item.decision.as_ref().err());
        let kinds: Vec<Kind> = failed.map(Failure::kind).collect();
        let planned = kinds.len() < plan.items.len();
        match Self::of_kinds(kinds, planned) {
            Self::Success if detailed && plan.has_changes() => Self::Changes,
            exit => exit,
        }
    }

    /// The code of what became of a plan of the pull-through cache.
    pub fn of_cache_outcome(outcome: &cache::Outcome) -> Self {
        let done = outcome.items.iter().any(|item| item.result.is_ok());
        Self::of_kinds(outcome.failures().map(Failure::kind), done)
    }

    /// The code of the worst failure, which is the one with the highest number.
    pub fn of_checks(checks: &[Check]) -> Self {
        let exits = checks.iter().filter_map(|check| match check.verdict {
            Verdict::Failed(kind) => Some(Self::of_kind(kind)),
            Verdict::Ok | Verdict::Warning | Verdict::NotChecked => None,
        });
        exits
            .max_by_key(|exit| *exit as u8)
            .unwrap_or(Self::Success)
    }

    /// The code of several failures: their common one, where nothing else was done.
    pub fn of_kinds(kinds: impl IntoIterator<Item = Kind>, done: bool) -> Self {
        let mut exits = kinds.into_iter().map(Self::of_kind);
        let Some(first) = exits.next() else {
            return Self::Success;
        };
        if !done && exits.all(|exit| exit == first) {
            first
        } else {
            Self::Failed
        }
    }

    /// The code of one failure.
    pub fn of_kind(kind: Kind) -> Self {
        match kind {
            Kind::Configuration => Self::Usage,
            Kind::Refused => Self::Refused,
            Kind::Unreachable => Self::Unreachable,
            Kind::Transient | Kind::Exhausted | Kind::Conflict | Kind::Permanent => Self::Failed,
        }
    }
}

fn kinds_of(unlisted: &[Unlisted]) -> impl Iterator<Item = Kind> {
    unlisted.iter().map(|unlisted| unlisted.error.kind())
}

/// What a failed command can say about its cause: the first of the rooms' errors in the chain.
pub(super) fn find_failure(error: &anyhow::Error) -> Option<&dyn Failure> {
    fn as_failure<'a, E: Failure>(cause: &'a (dyn Error + 'static)) -> Option<&'a dyn Failure> {
        cause.downcast_ref::<E>().map(|error| error as &dyn Failure)
    }
    error.chain().find_map(|cause| {
        as_failure::<StepError>(cause)
            .or_else(|| as_failure::<OrphanError>(cause))
            .or_else(|| as_failure::<docker::Error>(cause))
            .or_else(|| as_failure::<cache::Error>(cause))
            .or_else(|| as_failure::<cache::MissingRule>(cause))
            .or_else(|| as_failure::<super::cache::Unknown>(cause))
            .or_else(|| as_failure::<super::init::Occupied>(cause))
            .or_else(|| as_failure::<ecr::Error>(cause))
            .or_else(|| as_failure::<aws::Error>(cause))
            .or_else(|| as_failure::<registry::Error>(cause))
            .or_else(|| as_failure::<credentials::Error>(cause))
            .or_else(|| as_failure::<config::DocumentError>(cause))
            .or_else(|| as_failure::<config::LockError>(cause))
            .or_else(|| as_failure::<config::PartitionError>(cause))
            .or_else(|| as_failure::<config::Mistakes>(cause))
            .or_else(|| as_failure::<MergeError>(cause))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doctor_tells_the_worst() {
        let failed = |kind| Check::failed("docker", kind, "");
        for (checks, exit) in [
            (vec![], Exit::Success),
            (
                vec![
                    Check::ok("docker", ""),
                    Check::warning("docker", ""),
                    Check::not_checked("docker", ""),
                ],
                Exit::Success,
            ),
            (
                vec![failed(Kind::Exhausted), Check::ok("docker", "")],
                Exit::Failed,
            ),
            (
                vec![failed(Kind::Unreachable), failed(Kind::Refused)],
                Exit::Unreachable,
            ),
        ] {
            assert_eq!(Exit::of_checks(&checks), exit);
        }
    }

    #[test]
    fn several_failures_have_their_common_code_where_nothing_was_done() {
        use Kind::{Conflict, Permanent, Refused, Transient, Unreachable};
        for (kinds, done, exit) in [
            (&[][..], false, Exit::Success),
            (&[Refused, Refused], false, Exit::Refused),
            (&[Unreachable], false, Exit::Unreachable),
            (&[Unreachable], true, Exit::Failed),
            (&[Refused, Unreachable], false, Exit::Failed),
            (&[Permanent], false, Exit::Failed),
            (&[Conflict, Transient], false, Exit::Failed),
        ] {
            assert_eq!(
                Exit::of_kinds(kinds.iter().copied(), done),
                exit,
                "{kinds:?} {done}"
            );
        }
    }
}
