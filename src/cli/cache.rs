//! The verbs of the pull-through cache.

use clap::builder::FalseyValueParser;
use clap::{Args, Subcommand, ValueEnum};

use super::choices::{Answer, Data, File, Upkeep};
use super::values::platform;
use crate::image::{Platform, Reference};

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

    /// What it answers.
    #[command(flatten)]
    pub answer: Answer,

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
