//! The destination's repositories.

use std::collections::BTreeSet;

use futures_util::{StreamExt as _, stream};

use super::Check;
use super::findings::{Findings, in_time};
use crate::config::{ImagePattern, Specification};
use crate::ecr::Ecr;
use crate::image::Repository;

const NAME: &str = "repository";

/// How many are looked up at once.
const TOGETHER: usize = 8;

/// What became of them, and the first one that is there.
pub(super) async fn examine(
    specification: &Specification,
    ecr: &Ecr,
) -> (Findings, Option<Repository>) {
    let creates = specification.repositories.create;
    let mut looked_up = stream::iter(names(specification))
        .map(|repository| look_up(repository, creates, ecr))
        .buffered(TOGETHER);
    let mut findings = Findings::default();
    let mut first = None;
    while let Some((check, found)) = looked_up.next().await {
        findings.add(check);
        first = first.or(found);
    }
    (findings, first)
}

/// The repositories that the file's images go to.
fn names(specification: &Specification) -> BTreeSet<Repository> {
    let known = specification.images.iter().map(|image| &image.repository);
    let listed = specification.patterns.iter().map(ImagePattern::repository);
    known.chain(listed).cloned().collect()
}

async fn look_up(repository: Repository, creates: bool, ecr: &Ecr) -> (Check, Option<Repository>) {
    let answer = in_time(NAME, ecr.describe_repository(&repository)).await;
    let is_there = matches!(answer, Ok(Ok(Some(_))));
    let check = match answer {
        Ok(Ok(Some(_))) => Check::ok(NAME, "there"),
        Ok(Ok(None)) if creates => Check::ok(NAME, "missing; `apply` creates it"),
        Ok(Ok(None)) => Check::warning(NAME, "missing; its images are skipped")
            .hint("create it, or write `repositories: {create: true}`"),
        Ok(Err(error)) => Check::error(NAME, &error),
        Err(late) => late,
    };
    let check = check.of(repository.as_str());
    (check, is_there.then_some(repository))
}
