//! The arguments; each that has a value has an environment variable.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::builder::{FalseyValueParser, OsStringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use url::Url;

use crate::config::PartitionChoice;
use crate::image::{Platform, Reference};
use crate::pipeline::DEFAULT_JOBS;

/// Loads upstream container images into Amazon ECR
#[derive(Debug, Parser)]
#[command(
    name = "longshore",
    version,
    propagate_version = true,
    max_term_width = 100
)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,

    /// How to talk.
    #[command(flatten)]
    pub talk: Talk,
}

/// How much is said.
#[derive(Args, Clone, Copy, Debug)]
pub struct Talk {
    /// Say more on stderr: each step and all that Docker prints; -vv adds each request
    #[arg(short, long, global = true, action = clap::ArgAction::Count, overrides_with = "quiet")]
    pub verbose: u8,

    /// Say nothing on stderr but warnings and errors
    #[arg(
        short,
        long,
        global = true,
        env = "LONGSHORE_QUIET",
        value_parser = FalseyValueParser::new()
    )]
    pub quiet: bool,
}

/// What is written to stdout.
#[derive(Args, Clone, Copy, Debug)]
pub struct Data {
    /// Write data to stdout as a table or as one JSON object
    #[arg(long, value_enum, default_value_t = Output::Text, env = "LONGSHORE_OUTPUT")]
    pub output: Output,
}

/// What to do when a registry allows no more pulls.
#[derive(Args, Clone, Copy, Debug)]
pub struct Patience {
    /// Wait when Docker Hub allows no more pulls, for at most one window of its limit at a time
    #[arg(long, env = "LONGSHORE_WAIT", value_parser = FalseyValueParser::new())]
    pub wait: bool,
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

/// A number of builds; none where an empty variable gave none.
pub type BuildJobs = Option<NonZeroUsize>;

/// The form of what is written to stdout.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Output {
    /// Tables for people.
    #[value(alias = "")]
    Text,
    /// One versioned object.
    Json,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print what `apply` would do and why; change nothing
    Plan(Plan),
    /// Bring every image into place; free when nothing changed
    Apply(Apply),
    /// Bring one image into place without a file
    Mirror(Box<Mirror>),
    /// Write the Dockerfiles of images with lines; build nothing
    Render(Render),
    /// Set up ECR's pull-through cache: rules, their secrets, what new repositories get
    #[command(subcommand)]
    Cache(Cache),
    /// Work with the JSON reports of `plan` and `apply`
    #[command(subcommand)]
    Report(Report),
    /// Check Docker, AWS, ECR and the upstreams; change nothing
    Doctor(Doctor),
    /// Write starter files with comments: the configuration, or what calls longshore
    Init(Init),
    /// Print the JSON Schema of the file, for editors
    Schema,
    /// Print what completes arguments in a shell
    Completions(Completions),
    /// Write a manual page for each command
    Man(Man),
    /// Serve a stand-in for ECR on loopback: a test double, not a registry
    Sandbox(Sandbox),
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

    /// Exit with 5 when `apply` would change something
    #[arg(
        long,
        env = "LONGSHORE_DETAILED_EXITCODE",
        value_parser = FalseyValueParser::new()
    )]
    pub detailed_exitcode: bool,

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

/// What to do with the pull-through cache.
#[derive(Debug, Subcommand)]
pub enum Cache {
    /// Print what `cache apply` would do and why; change nothing
    Plan(CachePlan),
    /// Bring rules, secrets and templates into line with the file, and ask each upstream
    Apply(CacheApply),
    /// Print what to pull by: for each rule, or for these images
    Urls(CacheUrls),
    /// Have ECR fetch images before anybody needs them
    Warm(CacheWarm),
    /// Print the least that IAM must allow, as a policy
    Policy(CachePolicy),
}

/// What may be done to the cache beyond creating and updating.
#[derive(Args, Clone, Copy, Debug)]
pub struct CacheChoices {
    /// Delete and make anew rules that ECR cannot change; what is cached stays
    #[arg(
        long,
        env = "LONGSHORE_ALLOW_REPLACE",
        value_parser = FalseyValueParser::new()
    )]
    pub allow_replace: bool,

    /// Delete what longshore made and the file no longer names; what is cached stays
    #[arg(long, env = "LONGSHORE_PRUNE", value_parser = FalseyValueParser::new())]
    pub prune: bool,

    /// Bring cached repositories that exist in line with the settings for new ones
    #[arg(
        long,
        env = "LONGSHORE_EXISTING",
        value_parser = FalseyValueParser::new()
    )]
    pub existing: bool,
}

/// Arguments of `cache plan`.
#[derive(Args, Debug)]
pub struct CachePlan {
    /// Which file.
    #[command(flatten)]
    pub file: File,

    /// What may be done.
    #[command(flatten)]
    pub choices: CacheChoices,

    /// Exit with 5 when `cache apply` would change something
    #[arg(
        long,
        env = "LONGSHORE_DETAILED_EXITCODE",
        value_parser = FalseyValueParser::new()
    )]
    pub detailed_exitcode: bool,

    /// What is written.
    #[command(flatten)]
    pub data: Data,
}

/// Arguments of `cache apply`.
#[derive(Args, Debug)]
pub struct CacheApply {
    /// Which file.
    #[command(flatten)]
    pub file: File,

    /// What may be done.
    #[command(flatten)]
    pub choices: CacheChoices,

    /// What is written.
    #[command(flatten)]
    pub data: Data,
}

/// Arguments of `cache urls`.
#[derive(Args, Debug)]
pub struct CacheUrls {
    /// Which file.
    #[command(flatten)]
    pub file: File,

    /// Images, as `docker pull` takes them [default: what each rule's names begin with]
    #[arg(value_name = "IMAGE")]
    pub images: Vec<Reference>,

    /// What is written.
    #[command(flatten)]
    pub data: Data,
}

/// Arguments of `cache warm`.
#[derive(Args, Debug)]
pub struct CacheWarm {
    /// Which file.
    #[command(flatten)]
    pub file: File,

    /// Images, as `docker pull` takes them
    #[arg(value_name = "IMAGE", required = true)]
    pub images: Vec<Reference>,

    /// A platform that must have arrived; repeat for several [default: all that the image has]
    #[arg(
        long,
        value_name = "PLATFORM",
        value_delimiter = ',',
        env = "LONGSHORE_PLATFORM",
        value_parser = platform
    )]
    pub platform: Vec<Option<Platform>>,

    /// What is written.
    #[command(flatten)]
    pub data: Data,
}

/// Arguments of `cache policy`.
#[derive(Args, Debug)]
pub struct CachePolicy {
    /// Which file.
    #[command(flatten)]
    pub file: File,

    /// For whoever pulls through the cache, sets it up, or pushes with `apply`
    #[arg(
        long = "for",
        value_enum,
        value_name = "AUDIENCE",
        env = "LONGSHORE_FOR"
    )]
    pub audience: Audience,

    /// What a manager may do with `cache apply --existing`
    #[arg(
        long,
        env = "LONGSHORE_EXISTING",
        value_parser = FalseyValueParser::new()
    )]
    pub existing: bool,

    /// What a pusher may do.
    #[command(flatten)]
    pub upkeep: Upkeep,
}

/// For whom an IAM policy is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Audience {
    /// Whoever pulls through the cache.
    Puller,
    /// Whoever runs `cache apply`.
    Manager,
    /// Whoever runs `apply`.
    Pusher,
}

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

    /// Exit with 5 when `apply` would change something
    #[arg(
        long,
        env = "LONGSHORE_DETAILED_EXITCODE",
        value_parser = FalseyValueParser::new()
    )]
    pub detailed_exitcode: bool,
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

/// Any path; an empty one, as Terraform makes of what is left out, counts as absent later.
fn path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// A platform; an empty text counts as absent.
fn platform(text: &str) -> Result<Option<Platform>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let platform = text.parse().map_err(|error| format!("{error}"));
    platform.map(Some)
}

fn jobs(text: &str) -> Result<NonZeroUsize, String> {
    if text.is_empty() {
        return Ok(DEFAULT_JOBS);
    }
    text.parse()
        .map_err(|_| "expected a number of 1 or more".to_owned())
}

fn build_jobs(text: &str) -> Result<BuildJobs, String> {
    if text.is_empty() {
        return Ok(None);
    }
    jobs(text).map(Some)
}

fn existing_folder(text: &str) -> Result<PathBuf, String> {
    let folder = PathBuf::from(text);
    if folder.is_dir() {
        Ok(folder)
    } else {
        Err("there is no such folder".to_owned())
    }
}

/// `registry-1.docker.io=http://127.0.0.1:5000`.
fn host_and_url(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').filter(|(host, url)| {
        let is_http = url.starts_with("http://") || url.starts_with("https://");
        !host.is_empty() && is_http && Url::parse(url).is_ok()
    });
    let (host, url) = parts.ok_or("expected HOST=URL, such as quay.io=http://127.0.0.1:5000")?;
    Ok((host.to_owned(), url.trim_end_matches('/').to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn an_endpoint_has_a_host_and_a_url() {
        let url = "http://127.0.0.1:5000";
        let read = host_and_url(&format!("quay.io={url}/")).unwrap();
        assert_eq!(read, ("quay.io".to_owned(), url.to_owned()));
        for text in ["quay.io", "=http://127.0.0.1", "quay.io=127.0.0.1:5000"] {
            assert!(host_and_url(text).is_err(), "{text}");
        }
    }
}
