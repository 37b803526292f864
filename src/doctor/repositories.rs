//! The destination's repositories.

use futures_util::{StreamExt as _, stream};

use super::Check;
use super::findings::{Findings, answer, in_time};
use crate::config::{Repositories, Specification};
use crate::ecr::{Deviation, Ecr};
use crate::failure::{Failure as _, chain};
use crate::image::Repository;

const NAME: &str = "repository";

/// How many are looked up at once.
const TOGETHER: usize = 8;

/// What became of them, and the first one that is there.
pub(super) async fn examine(
    specification: &Specification,
    ecr: &Ecr,
) -> (Findings, Option<Repository>) {
    let mut looked_up = stream::iter(specification.destination_repositories())
        .map(|repository| look_up(repository.clone(), &specification.repositories, ecr))
        .buffered(TOGETHER);
    let mut findings = Findings::default();
    let mut first = None;
    while let Some((checks, found)) = looked_up.next().await {
        findings.checks.extend(checks);
        first = first.or(found);
    }
    (findings, first)
}

async fn look_up(
    repository: Repository,
    wanted: &Repositories,
    ecr: &Ecr,
) -> (Vec<Check>, Option<Repository>) {
    let check = match answer(NAME, ecr.describe_repository(&repository)).await {
        Ok(Some(description)) => {
            let deviations = ecr.deviations(&repository, &description, &wanted.stated);
            let checks = match in_time(NAME, deviations).await {
                Ok(deviations) => compare(&repository, deviations),
                Err(late) => vec![late],
            };
            let checks = checks.into_iter().map(|it| it.of(repository.as_str()));
            return (checks.collect(), Some(repository));
        }
        Ok(None) if wanted.create => Check::ok(NAME, "missing; `apply` creates it"),
        Ok(None) => Check::warning(NAME, "missing; its images are skipped")
            .hint("create it, or write `repositories: {create: true}`"),
        Err(check) => check,
    };
    (vec![check.of(repository.as_str())], None)
}

/// A repository against the file: a line for each setting that differs.
fn compare(repository: &Repository, deviations: Vec<Deviation>) -> Vec<Check> {
    if deviations.is_empty() {
        return vec![Check::ok(NAME, "as the file says")];
    }
    let check = |Deviation {
                     setting,
                     difference,
                 }| match difference {
        Ok(difference) => {
            let hint = match difference.obstacle(repository) {
                Some(obstacle) => obstacle.hint(),
                None => Some("`apply --repair-repositories` changes it".to_owned()),
            };
            Check::warning(NAME, format!("`{setting}` {difference}")).with_hint(hint)
        }
        Err(error) => {
            let message = format!("`{setting}`: {}", chain(&error));
            Check::not_checked(NAME, message).with_hint(error.hint())
        }
    };
    deviations.into_iter().map(check).collect()
}
