//! The whole command line.

use clap::builder::FalseyValueParser;
use clap::{Args, Parser, Subcommand};

use super::cache::Cache;
use super::images::{Apply, Mirror, Plan, Render};
use super::tools::{Completions, Doctor, Init, Man, Report, Sandbox};

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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }
}
