//! `longshore mirror`.

use crate::cli::{self, Output, Talk};
use crate::config::{SingleImage, Specification};
use crate::image::Digest;
use crate::pipeline::{
    self, Choices, Cleanup, DEFAULT_JOBS, Effort, ImageOutcome, Status, make_plan,
};
use crate::report::{OutcomeObject, tell_unlisted};

use super::exit::Exit;
use super::{console, session};

/// Brings one image, or all of a repository, into place without a file, and prints what each
/// destination tag holds then: `HOST/REPOSITORY:TAG@DIGEST`. Where this is dropped, `cleanup` has
/// what is left to do.
pub(super) async fn mirror(
    arguments: cli::Mirror,
    talk: Talk,
    cleanup: &Cleanup,
) -> anyhow::Result<Exit> {
    let image = SingleImage {
        source: &arguments.source,
        via: given(arguments.via.as_ref()),
        all_tags: arguments.all_tags,
        to: given(arguments.to.as_ref()),
        no_clobber: arguments.no_clobber,
        repository: given(arguments.repository.as_ref()),
        platforms: &all_given(&arguments.platform),
        attestations: given(arguments.attestations.as_ref()),
        referrers: arguments.referrers,
        lines: &all_given(&arguments.line),
        builder: given(arguments.builder.as_ref()),
        builder_engine: given(arguments.builder_engine.as_ref()),
        namespace: given(arguments.namespace.as_ref()),
        region: given(arguments.region.as_ref()),
        account_id: given(arguments.account_id.as_ref()),
        profile: given(arguments.profile.as_ref()),
        registry: given(arguments.registry.as_ref()),
    };
    let specification = Specification::single(&image, &session::variable)?;
    let access = session::access(&specification, console::observer(talk)).await?;
    let plan = make_plan(specification, Choices::default(), &access).await?;
    tell_unlisted(&plan.unlisted, &*access.observer);
    let effort = Effort {
        jobs: DEFAULT_JOBS,
        build_jobs: arguments.building.build_jobs.flatten(),
        keep_local: arguments.building.keep_local,
        waits: arguments.patience.wait,
    };
    let outcome = pipeline::apply(plan, &access, effort, cleanup).await;
    match arguments.data.output {
        Output::Text => {
            for image in &outcome.images {
                if let Some(digest) = held(image) {
                    console::print(&format!("{}@{digest}", image.plan.destination))?;
                }
            }
        }
        Output::Json => console::print_json(&OutcomeObject::new("mirror", &outcome, None))?,
    }
    Ok(Exit::of_outcome(&outcome))
}

fn held(image: &ImageOutcome) -> Option<&Digest> {
    match &image.status {
        Status::Done { digest, .. } | Status::InPlace { digest } => Some(digest),
        Status::Left => image.plan.held.as_ref(),
        Status::Failed(_) => None,
    }
}

/// Terraform cannot leave a variable of the environment out, so an empty one counts as absent.
fn given(value: Option<&String>) -> Option<&str> {
    value.map(String::as_str).filter(|value| !value.is_empty())
}

fn all_given(values: &[String]) -> Vec<String> {
    values
        .iter()
        .filter(|value| !value.is_empty())
        .cloned()
        .collect()
}
