//! Why reports cannot be joined.

use std::io;
use std::path::PathBuf;

use crate::failure::{Failure, Kind};

/// Why reports cannot be joined.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// There are none.
    #[error("there is no report")]
    Nothing,
    /// A file cannot be read.
    #[error("cannot read the report `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is no report.
    #[error("`{}` is not a report of `plan` or `apply`", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// Another version of longshore wrote the report.
    #[error("`{}` has version {version}, which this longshore does not know", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u8,
    },
    /// A partition's run ended before it began.
    #[error("the run of `{}` did not begin: {message}", path.display())]
    NeverBegan {
        /// The file.
        path: PathBuf,
        /// What kind of failure that is of all partitions together.
        kind: Kind,
        /// What the run said.
        message: String,
        /// What the run advised.
        hint: Option<String>,
    },
    /// The report is of no partition.
    #[error("`{}` is the report of a run without `--partition`", path.display())]
    Whole {
        /// The file.
        path: PathBuf,
    },
    /// Reports are not of one run.
    #[error("`{}` and `{}` are reports of different {what}", one.display(), other.display())]
    Different {
        /// A file.
        one: PathBuf,
        /// Another one.
        other: PathBuf,
        /// What they differ in.
        what: &'static str,
    },
    /// A partition has two reports.
    #[error(
        "`{}` and `{}` are both reports of partition {index}", one.display(), other.display()
    )]
    Doubled {
        /// A file.
        one: PathBuf,
        /// Another one.
        other: PathBuf,
        /// The partition's number.
        index: usize,
    },
    /// Partitions have no report.
    #[error("of {count} partitions there is no report of {}", numbers(missing))]
    Missing {
        /// The numbers of the partitions without report.
        missing: Vec<usize>,
        /// How many partitions there are.
        count: usize,
    },
}

impl Failure for MergeError {
    fn kind(&self) -> Kind {
        match self {
            // Not these arguments are wrong: a part of the run failed.
            Self::NeverBegan { kind, .. } => *kind,
            _ => Kind::Configuration,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Nothing | Self::Unreadable { .. } => return None,
            Self::Malformed { .. } => {
                "a report is what `--output json` writes to stdout, whole".to_owned()
            }
            Self::Version { .. } => "join them with the longshore that wrote them".to_owned(),
            Self::NeverBegan { hint, .. } => {
                let hint = hint.clone();
                hint.unwrap_or_else(|| "run that partition again".to_owned())
            }
            Self::Whole { .. } => "it is whole as it is".to_owned(),
            Self::Different { .. } => {
                "all partitions take the same command, file, images and number of partitions"
                    .to_owned()
            }
            Self::Doubled { .. } => "name the report of each partition once".to_owned(),
            Self::Missing { .. } => {
                "add their reports; run the partitions again that left none".to_owned()
            }
        })
    }
}

fn numbers(numbers: &[usize]) -> String {
    let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    numbers.join(", ")
}
