//! What several commands let their user choose.

use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};

use super::values::{BuildJobs, build_jobs, path};
use crate::config::PartitionChoice;

/// What is written to stdout.
#[derive(Args, Clone, Copy, Debug)]
pub struct Data {
    /// Write data to stdout as a table or as one JSON object
    #[arg(long, value_enum, default_value_t = Output::Text, env = "LONGSHORE_OUTPUT")]
    pub output: Output,
}

/// The form of what is written to stdout.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Output {
    /// Tables for people.
    #[value(alias = "")]
    Text,
    /// One versioned object.
    Json,
}

/// Which file.
#[derive(Args, Debug)]
pub struct File {
    /// The configuration file; `-` reads stdin [default: $LONGSHORE_CONFIG, then longshore.yaml]
    #[arg(short, long, value_name = "FILE", env = "LONGSHORE_FILE", value_parser = path())]
    pub file: Option<PathBuf>,
}

/// Which file, and which of its images.
#[derive(Args, Debug)]
pub struct Selection {
    /// Which file.
    #[command(flatten)]
    pub file: File,

    /// Take the digests that `plan --lock FILE` wrote; resolve and list no tag
    #[arg(long, value_name = "FILE", env = "LONGSHORE_LOCKED", value_parser = path())]
    pub locked: Option<PathBuf>,

    /// Only these images, named as in the file or by destination [default: all]
    #[arg(value_name = "IMAGE")]
    pub images: Vec<String>,
}

/// Which part of the file.
#[derive(Args, Clone, Copy, Debug)]
pub struct Sharding {
    /// Only part I of N, counted from 1, of the destination repositories; `auto` or `auto/N`: the
    /// part that AWS Batch, Kubernetes or CodeBuild tells [default: all]
    #[arg(
        long,
        value_name = "I/N",
        default_value = "",
        hide_default_value = true,
        env = "LONGSHORE_PARTITION"
    )]
    pub partition: PartitionChoice,
}

/// What may be done beyond bringing images into place.
#[derive(Args, Clone, Copy, Debug)]
pub struct Upkeep {
    /// Change repositories that exist and are not what the file says of them
    #[arg(
        long,
        env = "LONGSHORE_REPAIR_REPOSITORIES",
        value_parser = FalseyValueParser::new()
    )]
    pub repair_repositories: bool,

    /// Delete tags and repositories under the namespace that the file does not name
    #[arg(
        long,
        env = "LONGSHORE_PRUNE_ORPHANS",
        value_parser = FalseyValueParser::new()
    )]
    pub prune_orphans: bool,
}

/// What the Docker daemon does.
#[derive(Args, Clone, Copy, Debug)]
pub struct Building {
    /// How many builds the Docker daemon does at once, of all images together [default: as many as
    /// it has processors]
    #[arg(long, value_name = "N", env = "LONGSHORE_BUILD_JOBS", value_parser = build_jobs)]
    pub build_jobs: Option<BuildJobs>,

    /// Keep what is built in the Docker daemon, under the destination's name, and what it is built on
    #[arg(long, env = "LONGSHORE_KEEP_LOCAL", value_parser = FalseyValueParser::new())]
    pub keep_local: bool,
}

/// What to do when a registry allows no more pulls.
#[derive(Args, Clone, Copy, Debug)]
pub struct Patience {
    /// Wait when Docker Hub allows no more pulls, for at most one window of its limit at a time
    #[arg(long, env = "LONGSHORE_WAIT", value_parser = FalseyValueParser::new())]
    pub wait: bool,
}

/// What a plan answers.
#[derive(Args, Clone, Copy, Debug)]
pub struct Answer {
    /// Exit with 5 when applying it would change something
    #[arg(
        long,
        env = "LONGSHORE_DETAILED_EXITCODE",
        value_parser = FalseyValueParser::new()
    )]
    pub detailed_exitcode: bool,
}
