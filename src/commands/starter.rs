//! The starter files.

use crate::cli::Starter;
use crate::config;

/// The schema, where editors that read the first line of the configuration find it.
const SCHEMA: &str = "longshore.schema.json";

/// One file that somebody can begin with.
pub(super) struct StarterFile {
    /// Where it belongs, in the folder that longshore is called in.
    pub(super) path: &'static str,
    pub(super) text: String,
}

/// What there is to begin with at a place.
pub(super) fn files(starter: Starter) -> anyhow::Result<Vec<StarterFile>> {
    let file = |path, text: &str| StarterFile {
        path,
        text: text.to_owned(),
    };
    Ok(match starter {
        Starter::File => {
            let schema = serde_json::to_string_pretty(&config::schema())?;
            vec![
                file(
                    config::DEFAULT_FILE,
                    include_str!("../../templates/starters/longshore.yaml"),
                ),
                file(SCHEMA, &(schema + "\n")),
            ]
        }
        Starter::Codebuild => vec![file(
            "buildspec.yml",
            include_str!("../../templates/starters/buildspec.yml"),
        )],
        Starter::Terraform => vec![file(
            "longshore.tf",
            include_str!("../../templates/starters/longshore.tf"),
        )],
        Starter::GithubActions => vec![file(
            ".github/workflows/longshore.yml",
            include_str!("../../templates/starters/github-actions.yml"),
        )],
    })
}

/// What to do with them.
pub(super) fn next_step(starter: Starter) -> &'static str {
    match starter {
        Starter::File => "name your images in `longshore.yaml`, then run `longshore plan`",
        Starter::Codebuild => {
            "set the variables that `buildspec.yml` names on the CodeBuild project, and commit it \
             beside the `longshore.yaml` that `longshore init` writes"
        }
        Starter::Terraform => {
            "name your images in `longshore.tf`, then run `terraform init` and `terraform apply`"
        }
        Starter::GithubActions => {
            "set the variables that the workflow names in the repository's settings, and commit it \
             with the `longshore.yaml` that `longshore init` writes"
        }
    }
}
