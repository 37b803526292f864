//! The verbs that bring images into place, or show what would.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use clap::builder::FalseyValueParser;

use super::choices::{Answer, Building, Data, Patience, Selection, Sharding, Upkeep};
use super::values::{jobs, path};
use crate::pipeline::DEFAULT_JOBS;

/// Arguments of `plan`.
#[derive(Args, Debug)]
pub struct Plan {
    /// Which images.
    #[command(flatten)]
    pub selection: Selection,

    /// Which part of them.
    #[command(flatten)]
    pub sharding: Sharding,

    /// Write what every tag resolved to into this file, which `--locked` takes
    #[arg(long, value_name = "FILE", env = "LONGSHORE_LOCK", value_parser = path())]
    pub lock: Option<PathBuf>,

    /// Show tags and repositories under the namespace that the file does not name
    #[arg(long, env = "LONGSHORE_ORPHANS", value_parser = FalseyValueParser::new())]
    pub orphans: bool,

    /// What may be done.
    #[command(flatten)]
    pub upkeep: Upkeep,

    /// What it answers.
    #[command(flatten)]
    pub answer: Answer,

    /// What is written.
    #[command(flatten)]
    pub data: Data,
}

/// Arguments of `apply`.
#[derive(Args, Debug)]
pub struct Apply {
    /// Which images.
    #[command(flatten)]
    pub selection: Selection,

    /// Which part of them.
    #[command(flatten)]
    pub sharding: Sharding,

    /// How many images are worked on at once
    #[arg(
        short,
        long,
        value_name = "N",
        default_value_t = DEFAULT_JOBS,
        env = "LONGSHORE_JOBS",
        value_parser = jobs
    )]
    pub jobs: NonZeroUsize,

    /// What may be done.
    #[command(flatten)]
    pub upkeep: Upkeep,

    /// What Docker does.
    #[command(flatten)]
    pub building: Building,

    /// How patient.
    #[command(flatten)]
    pub patience: Patience,

    /// What is written.
    #[command(flatten)]
    pub data: Data,
}

/// Arguments of `render`.
#[derive(Args, Debug)]
pub struct Render {
    /// Which images.
    #[command(flatten)]
    pub selection: Selection,

    /// Write REPOSITORY/TAG/PLATFORM/Dockerfile below this folder instead of to stdout
    #[arg(short, long, value_name = "DIR", env = "LONGSHORE_DIRECTORY")]
    pub directory: Option<PathBuf>,
}

/// Arguments of `mirror`.
#[derive(Args, Debug)]
pub struct Mirror {
    /// The upstream image, as `docker pull` takes it; in an OCI layout: oci:DIR[:TAG]; in the local
    /// Docker daemon: docker-daemon:NAME[:TAG]
    #[arg(value_name = "SOURCE", env = "LONGSHORE_SOURCE")]
    pub source: String,

    /// The destination repository in ECR and its tag [default: the source's own]
    #[arg(value_name = "REPOSITORY[:TAG]", env = "LONGSHORE_REPOSITORY")]
    pub repository: Option<String>,

    /// A destination that is not your ECR: HOST/REPOSITORY[:TAG] in any registry, or oci:DIR[:TAG]
    #[arg(long, value_name = "DESTINATION", env = "LONGSHORE_TO")]
    pub to: Option<String>,

    /// Copy all tags of the source
    #[arg(
        short,
        long,
        env = "LONGSHORE_ALL_TAGS",
        value_parser = FalseyValueParser::new()
    )]
    pub all_tags: bool,

    /// Read the source through ECR's pull-through cache: the prefix of the rule, as docker-hub
    #[arg(long, value_name = "PREFIX", env = "LONGSHORE_VIA")]
    pub via: Option<String>,

    /// Leave a tag that holds something else as it is, and fail
    #[arg(
        short,
        long,
        env = "LONGSHORE_NO_CLOBBER",
        value_parser = FalseyValueParser::new()
    )]
    pub no_clobber: bool,

    /// A platform to copy or build, such as linux/arm64; repeat for several
    #[arg(
        long,
        value_name = "PLATFORM",
        value_delimiter = ',',
        env = "LONGSHORE_PLATFORM"
    )]
    pub platform: Vec<String>,

    /// Whether BuildKit's attestations are copied: keep or drop [default: keep]
    #[arg(long, value_name = "CHOICE", env = "LONGSHORE_ATTESTATIONS")]
    pub attestations: Option<String>,

    /// Copy what refers to the image too: signatures, SBOMs, attestations
    #[arg(
        long,
        env = "LONGSHORE_REFERRERS",
        value_parser = FalseyValueParser::new()
    )]
    pub referrers: bool,

    /// An extra Dockerfile line; repeat for several
    #[arg(
        long,
        value_name = "LINE",
        value_delimiter = '\n',
        env = "LONGSHORE_LINE"
    )]
    pub line: Vec<String>,

    /// Who applies the lines: docker, direct (no Docker, metadata only) or auto [default: docker]
    #[arg(long, value_name = "BUILDER", env = "LONGSHORE_BUILDER")]
    pub builder: Option<String>,

    /// Which of Docker's builders builds: buildkit, classic or auto [default: auto]
    #[arg(long, value_name = "ENGINE", env = "LONGSHORE_BUILDER_ENGINE")]
    pub builder_engine: Option<String>,

    /// A prefix of the destination repository
    #[arg(long, value_name = "PREFIX", env = "LONGSHORE_NAMESPACE")]
    pub namespace: Option<String>,

    /// The AWS region of the destination [default: the AWS SDK's own chain]
    #[arg(long, value_name = "REGION", env = "LONGSHORE_REGION")]
    pub region: Option<String>,

    /// The AWS account of the destination [default: the account of the credentials]
    #[arg(long, value_name = "ID", env = "LONGSHORE_ACCOUNT_ID")]
    pub account_id: Option<String>,

    /// The AWS profile
    #[arg(long, value_name = "NAME", env = "LONGSHORE_PROFILE")]
    pub profile: Option<String>,

    /// Where the destination registry really is, for tests and proxies
    #[arg(long, value_name = "URL", env = "LONGSHORE_REGISTRY")]
    pub registry: Option<String>,

    /// What Docker does.
    #[command(flatten)]
    pub building: Building,

    /// How patient.
    #[command(flatten)]
    pub patience: Patience,

    /// What is written.
    #[command(flatten)]
    pub data: Data,
}
