//! Which part of the file a run is asked for: one that is named, or the one that the engine that runs
//! it names.

use std::num::NonZeroUsize;
use std::str::FromStr;

use super::{MOST_PARTITIONS, Partition, PartitionError};

/// Which part of the file a run is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PartitionChoice {
    /// All of it.
    Whole,
    /// This part: `3/8`.
    One(Partition),
    /// The part that the engine names: `auto`, or `auto/8` where it does not tell how many there
    /// are.
    Auto(Option<NonZeroUsize>),
}

/// How an engine tells which of its jobs this is.
struct Engine {
    variable: &'static str,
    expected: &'static str,
    /// The number that a value stands for, counted from 1.
    index: fn(&str) -> Option<usize>,
    /// The variable that tells how many jobs there are.
    size: Option<&'static str>,
}

/// The engines, in the order in which they are asked.
///
/// AWS Batch: "The array job index begins at 0"
/// (<https://docs.aws.amazon.com/batch/latest/userguide/job_env_vars.html>). Kubernetes: from 0 to
/// `completions` - 1 (<https://kubernetes.io/docs/concepts/workloads/controllers/job/>). CodeBuild
/// gives no number; the identifier is the user's own word in `build-list` or `build-graph`
/// (<https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html>).
const ENGINES: [Engine; 3] = [
    Engine {
        variable: "AWS_BATCH_JOB_ARRAY_INDEX",
        expected: "AWS Batch counts the jobs of an array from 0",
        index: from_zero,
        size: Some("AWS_BATCH_JOB_ARRAY_SIZE"),
    },
    Engine {
        variable: "JOB_COMPLETION_INDEX",
        expected: "Kubernetes counts the pods of an indexed job from 0",
        index: from_zero,
        size: None,
    },
    Engine {
        variable: "CODEBUILD_BATCH_BUILD_IDENTIFIER",
        expected: "end each `identifier` of the batch in its number, counted from 1, and write no \
                   other digit in it: `part_1`, `part_2`",
        index: at_the_end,
        size: None,
    },
];

impl FromStr for PartitionChoice {
    type Err = PartitionError;

    /// Reads `3/8`, `auto` or `auto/8`; an empty text is all of the file.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = match text.split_once('/') {
            None if text.is_empty() => Some(Self::Whole),
            None => (text == "auto").then_some(Self::Auto(None)),
            Some(("auto", count)) => at_most(count).map(|count| Self::Auto(Some(count))),
            Some((index, count)) => number(index)
                .zip(at_most(count))
                .and_then(|(index, count)| Partition::new(index, count))
                .map(Self::One),
        };
        known.ok_or(PartitionError::Malformed)
    }
}

impl PartitionChoice {
    /// The part; `None` for all of the file. Only `auto` reads the environment.
    pub fn resolve(
        self,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Partition>, PartitionError> {
        match self {
            Self::Whole => Ok(None),
            Self::One(partition) => Ok(Some(partition)),
            Self::Auto(count) => found(count, env).map(Some),
        }
    }
}

fn found(
    given: Option<NonZeroUsize>,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Partition, PartitionError> {
    let set = |variable: &str| env(variable).filter(|value| !value.is_empty());
    let mut engines = ENGINES.iter();
    let told = engines.find_map(|engine| Some((engine, set(engine.variable)?)));
    let Some((engine, value)) = told else {
        return Err(PartitionError::NoEngine);
    };
    let variable = engine.variable;
    let Some(index) = (engine.index)(&value) else {
        let expected = engine.expected;
        return Err(PartitionError::NoNumber {
            variable,
            value,
            expected,
        });
    };
    let size = engine.size.and_then(|size| Some((size, set(size)?)));
    let count = match (given, size) {
        (Some(count), Some((variable, value))) if at_most(&value) != Some(count) => {
            return Err(PartitionError::OtherCount {
                count,
                variable,
                value,
            });
        }
        (Some(count), _) => count,
        (None, Some((variable, value))) => at_most(&value).ok_or(PartitionError::NoNumber {
            variable,
            value,
            expected: "longshore splits a file into 1,000 partitions at most",
        })?,
        (None, None) => return Err(PartitionError::NoCount { variable }),
    };
    Partition::new(index, count).ok_or(PartitionError::OutOfRange {
        variable,
        value,
        index,
        count,
    })
}

/// Digits, and nothing else.
fn number(text: &str) -> Option<usize> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_plain)
}

/// A count of partitions.
fn at_most(text: &str) -> Option<NonZeroUsize> {
    let count = number(text).and_then(NonZeroUsize::new);
    count.filter(|count| count.get() <= MOST_PARTITIONS)
}

fn from_zero(value: &str) -> Option<usize> {
    number(value)?.checked_add(1)
}

/// `part_3`. More digits before would be somebody else's number.
fn at_the_end(value: &str) -> Option<usize> {
    let name = value.trim_end_matches(|c: char| c.is_ascii_digit());
    let has_others = name.bytes().any(|byte| byte.is_ascii_digit());
    number(&value[name.len()..]).filter(|_| !has_others)
}

/// The variables that an engine can tell its number in, for a message.
pub(super) fn variables() -> String {
    let names: Vec<String> = ENGINES
        .iter()
        .map(|it| format!("`{}`", it.variable))
        .collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Failure as _;

    fn read(text: &str, variables: &[(&str, &str)]) -> Result<String, String> {
        let env = |name: &str| {
            let mut set = variables.iter().filter(|(set, _)| *set == name);
            set.next().map(|(_, value)| (*value).to_owned())
        };
        let choice: Result<PartitionChoice, _> = text.parse();
        let partition = choice.and_then(|choice| choice.resolve(&env));
        match partition {
            Ok(partition) => Ok(partition.map_or("whole".to_owned(), |it| it.to_string())),
            Err(error) => Err(match error.hint() {
                Some(hint) => format!("{error}\n  hint: {hint}"),
                None => error.to_string(),
            }),
        }
    }

    #[test]
    fn reads_what_is_written_and_what_each_engine_tells() {
        let (batch, size) = ("AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_SIZE");
        let (pod, build) = ("JOB_COMPLETION_INDEX", "CODEBUILD_BATCH_BUILD_IDENTIFIER");
        for (text, variables, expected) in [
            ("", &[(batch, "1"), (size, "4")][..], "whole"),
            ("3/8", &[(batch, "1"), (size, "4")], "3/8"),
            ("1/1", &[], "1/1"),
            ("auto", &[(batch, "0"), (size, "8")], "1/8"),
            ("auto/8", &[(batch, "7"), (size, "8")], "8/8"),
            ("auto/8", &[(batch, "7")], "8/8"),
            ("auto/8", &[(pod, "0")], "1/8"),
            ("auto/8", &[(batch, ""), (pod, "2"), (size, "4")], "3/8"),
            ("auto/8", &[(build, "part_8")], "8/8"),
            ("auto/8", &[(build, "build1")], "1/8"),
        ] {
            assert_eq!(read(text, variables).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn refuses_what_could_be_another_part() {
        let (batch, size) = ("AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_SIZE");
        let build = "CODEBUILD_BATCH_BUILD_IDENTIFIER";
        let calls = [
            ("auto", &[][..]),
            ("auto/8", &[(batch, "first")]),
            ("auto/8", &[(build, "linux")]),
            ("auto/8", &[(build, "x86_1")]),
            ("auto/8", &[(build, "part_0")]),
            ("auto", &[(build, "part_1")]),
            ("auto/8", &[(batch, "0"), (size, "4")]),
            ("auto/1", &[(batch, "1")]),
            ("auto", &[(batch, "0"), (size, "1001")]),
            ("0/8", &[]),
            ("9/8", &[]),
            ("+1/8", &[]),
            ("1/0", &[]),
            ("1/1001", &[]),
            ("auto/0", &[]),
            ("3", &[]),
            ("hash:1/8", &[]),
        ];
        let said = calls.map(|(text, variables)| {
            let refusal = read(text, variables).unwrap_err();
            format!("{text} {variables:?}\n{refusal}\n")
        });
        insta::assert_snapshot!(said.concat());
    }
}
