//! Why a run cannot be about one part of the file.

use std::num::NonZeroUsize;

use super::MOST_PARTITIONS;
use super::partition_choice::variables;
use crate::failure::{Failure, Kind};

/// Nobody knows which part of the file is asked for, or a part cannot do what is asked for.
#[derive(Debug, thiserror::Error)]
pub enum PartitionError {
    /// The text is no partition.
    #[error(
        "expected I/N with I from 1 to N and N at most {MOST_PARTITIONS}, such as 3/8, or `auto` \
         or `auto/N`"
    )]
    Malformed,
    /// No engine's variable is set.
    #[error(
        "`--partition auto` finds none of the variables {} that tell the partition's number",
        variables()
    )]
    NoEngine,
    /// An engine's variable holds no number that could be a partition's.
    #[error("`--partition auto` cannot take the partition's number from `{variable}={value}`")]
    NoNumber {
        /// The variable.
        variable: &'static str,
        /// What it holds.
        value: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// The engine does not tell how many partitions there are, and neither does anybody else.
    #[error("`{variable}` does not tell how many partitions there are")]
    NoCount {
        /// The variable that tells the number.
        variable: &'static str,
    },
    /// The engine tells another count.
    #[error("`--partition auto/{count}` contradicts `{variable}={value}`")]
    OtherCount {
        /// The count that was given.
        count: NonZeroUsize,
        /// The variable that tells the count.
        variable: &'static str,
        /// What the variable holds.
        value: String,
    },
    /// The engine's number is not one of so many.
    #[error("`{variable}={value}` is partition {index}, and {}", are_there(*count))]
    OutOfRange {
        /// The variable.
        variable: &'static str,
        /// What it holds.
        value: String,
        /// The number that it stands for, counted from 1.
        index: usize,
        /// How many there are.
        count: NonZeroUsize,
    },
    /// A lock is of all images.
    #[error("a lock is of all images, and a partition has some of them")]
    Lock,
    /// What a part does not name another one may.
    #[error("what the file no longer names cannot be told by one partition")]
    Orphans,
}

impl Failure for PartitionError {
    fn kind(&self) -> Kind {
        Kind::Configuration
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Malformed => return None,
            Self::NoEngine => {
                "run it in an array job, an indexed job or a batch build, or name the partition: \
                 `--partition 1/8`"
                    .to_owned()
            }
            Self::NoNumber { expected, .. } => (*expected).to_owned(),
            Self::NoCount { .. } => "give the count: `--partition auto/8`".to_owned(),
            Self::OtherCount { .. } => {
                "leave the count out, `--partition auto`, or start the array with that size"
                    .to_owned()
            }
            Self::OutOfRange { count, .. } => format!(
                "start {count} jobs, or give the count that was started: `--partition auto/N`"
            ),
            Self::Lock => "lock the whole file with `plan --lock`, and give the partitions the \
                           lock: `apply --locked FILE --partition I/N`"
                .to_owned(),
            Self::Orphans => "run `apply --prune-orphans` without `--partition` when all \
                              partitions are done"
                .to_owned(),
        })
    }
}

fn are_there(count: NonZeroUsize) -> String {
    match count.get() {
        1 => "there is 1".to_owned(),
        count => format!("there are {count}"),
    }
}
