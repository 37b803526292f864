//! Whether ECR lets itself be read, where IAM does not say it: found by reading.

use std::collections::BTreeSet;

use super::findings::{Findings, in_time};
use super::{Check, Verdict};
use crate::ecr::{Ecr, Error};
use crate::image::{Digest, Repository, Tag};

const NAME: &str = "reads";

/// What `plan` and `apply` read of a repository, each by a call that changes nothing.
pub(super) async fn examine(ecr: &Ecr, repository: &Repository) -> Findings {
    let tags = BTreeSet::from([Tag::latest()]);
    // No repository has a blob without a byte, and none has to.
    let blobs = BTreeSet::from([Digest::of(b"")]);
    let reads = in_time(NAME, async {
        let (listed, read, looked_for) = tokio::join!(
            ecr.list_images(repository),
            ecr.manifests(repository, &tags),
            ecr.available_layers(repository, &blobs),
        );
        [listed.err(), read.err(), looked_for.err()]
    });
    let errors: Vec<Error> = match reads.await {
        Ok(errors) => errors.into_iter().flatten().collect(),
        Err(late) => return late.of(repository.as_str()).into(),
    };
    let mut findings = Findings::default();
    for error in &errors {
        findings.add(judge(error).of(repository.as_str()));
    }
    if errors.is_empty() {
        let message = "its tags, manifests and layers can be read";
        findings.add(Check::ok(NAME, message).of(repository.as_str()));
    }
    findings
}

fn judge(error: &Error) -> Check {
    let check = Check::error(NAME, error);
    match error {
        // A copy goes on without: it asks the registry for each blob.
        Error::CheckLayers { .. } => Check {
            verdict: Verdict::Warning,
            ..check
        },
        _ => check,
    }
}
