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

pub(super) async fn examine(specification: &Specification, ecr: &Ecr) -> Findings {
    let creates = specification.repositories.create;
    let looked_up = stream::iter(names(specification))
        .map(|repository| look_up(repository, creates, ecr))
        .buffered(TOGETHER);
    Findings {
        checks: looked_up.collect().await,
        sightings: Vec::new(),
    }
}

/// The repositories that the file's images go to.
fn names(specification: &Specification) -> BTreeSet<Repository> {
    let known = specification.images.iter().map(|image| &image.repository);
    let listed = specification.patterns.iter().map(ImagePattern::repository);
    known.chain(listed).cloned().collect()
}

async fn look_up(repository: Repository, creates: bool, ecr: &Ecr) -> Check {
    let check = match in_time(NAME, ecr.describe_repository(&repository)).await {
        Ok(Ok(Some(_))) => Check::ok(NAME, "there"),
        Ok(Ok(None)) if creates => Check::ok(NAME, "missing; `apply` creates it"),
        Ok(Ok(None)) => Check::warning(NAME, "missing; its images are skipped")
            .hint("create it, or write `repositories: {create: true}`"),
        Ok(Err(error)) => Check::error(NAME, &error),
        Err(late) => late,
    };
    check.of(repository.as_str())
}
