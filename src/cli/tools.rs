//! The verbs that move no image.

use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{Args, Subcommand, ValueEnum};

use super::choices::{Answer, Data, File};
use super::values::{existing_folder, host_and_url, path};

/// What to do with reports.
#[derive(Debug, Subcommand)]
pub enum Report {
    /// Join the reports of all partitions into one JSON object, and exit as one run would have
    Merge(Merge),
}

/// Arguments of `report merge`.
#[derive(Args, Debug)]
pub struct Merge {
    /// What `--output json` wrote in each partition
    #[arg(value_name = "REPORT", required = true)]
    pub reports: Vec<PathBuf>,

    /// What it answers.
    #[command(flatten)]
    pub answer: Answer,
}

/// Arguments of `doctor`.
#[derive(Args, Debug)]
pub struct Doctor {
    /// Which file; without one only Docker and AWS are checked.
    #[command(flatten)]
    pub file: File,

    /// What is written.
    #[command(flatten)]
    pub data: Data,
}

/// Arguments of `init`.
#[derive(Args, Debug)]
pub struct Init {
    /// What the files are for
    #[arg(
        long = "for",
        value_enum,
        value_name = "PLACE",
        default_value_t = Starter::File,
        env = "LONGSHORE_INIT_FOR"
    )]
    pub starter: Starter,

    /// The folder that the files are written to [default: this one]
    #[arg(short, long, value_name = "DIR", env = "LONGSHORE_DIRECTORY", value_parser = path())]
    pub directory: Option<PathBuf>,

    /// Overwrite files that exist
    #[arg(long, env = "LONGSHORE_INIT_FORCE", value_parser = FalseyValueParser::new())]
    pub force: bool,
}

/// Where longshore is called.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Starter {
    /// longshore.yaml and its schema.
    #[value(alias = "")]
    File,
    /// buildspec.yml.
    Codebuild,
    /// longshore.tf.
    Terraform,
    /// .github/workflows/longshore.yml.
    GithubActions,
}

/// Arguments of `completions`.
#[derive(Args, Debug)]
pub struct Completions {
    /// Whose completions
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// A shell that completes arguments.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Shell {
    /// For `/etc/bash_completion.d` or ~/.local/share/bash-completion/completions.
    Bash,
    /// For a folder of $fpath, as `_longshore`.
    Zsh,
    /// For ~/.config/fish/completions.
    Fish,
}

/// Arguments of `man`.
#[derive(Args, Debug)]
pub struct Man {
    /// The folder that the pages are written to, such as /usr/local/share/man/man1
    #[arg(short, long, value_name = "DIR", env = "LONGSHORE_DIRECTORY")]
    pub directory: PathBuf,
}

/// Arguments of `sandbox`.
#[derive(Args, Debug)]
pub struct Sandbox {
    /// The port of the API; the others follow it [default: chosen by the system]
    #[arg(long, value_name = "PORT", env = "LONGSHORE_SANDBOX_PORT")]
    pub port: Option<u16>,

    /// Serve the OCI layouts below this folder as an upstream registry: DIR/library/mongo, ...
    #[arg(
        long,
        value_name = "DIR",
        env = "LONGSHORE_SANDBOX_UPSTREAM_LAYOUTS",
        value_parser = existing_folder
    )]
    pub upstream: Option<PathBuf>,

    /// Where a pull-through cache's upstream registry really is; repeat for several [default: that
    /// of --upstream]
    #[arg(
        long,
        value_name = "HOST=URL",
        value_delimiter = ',',
        env = "LONGSHORE_SANDBOX_UPSTREAM_ENDPOINTS",
        value_parser = host_and_url
    )]
    pub upstream_endpoint: Vec<(String, String)>,

    /// Keep what is pushed in this folder [default: in memory]
    #[arg(long, value_name = "DIR", env = "LONGSHORE_SANDBOX_DATA")]
    pub data: Option<PathBuf>,
}
