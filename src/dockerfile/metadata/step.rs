//! One instruction that is all metadata.

use super::Why;
use super::health::Health;
use super::json::Arguments;
use crate::dockerfile::chunks::{directive, heredocs};
use crate::dockerfile::statement::Statement;
use crate::dockerfile::words;

/// An instruction, its variables not replaced yet.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::dockerfile) enum Step {
    /// Names and values.
    Env(Vec<(String, String)>),
    Label(Vec<(String, String)>),
    /// Names, perhaps with a default.
    Arg(Vec<(String, Option<String>)>),
    Volume(Vec<String>),
    Expose(Vec<String>),
    User(String),
    Workdir(String),
    StopSignal(String),
    Cmd(Arguments),
    Entrypoint(Arguments),
    Shell(Vec<String>),
    Healthcheck(Health),
    OnBuild(String),
    Maintainer(String),
}

impl Step {
    pub(in crate::dockerfile) fn parse(statement: &Statement) -> Result<Self, Why> {
        let keyword = statement.keyword.as_str();
        match keyword {
            "RUN" | "COPY" | "ADD" => {
                let keyword = keyword.to_owned();
                return Err(Why::ChangesFiles { keyword });
            }
            "FROM" => return Err(Why::Stages),
            _ if directive(&statement.text).is_some() => {
                return Err(Why::unsure("a parser directive"));
            }
            _ => {}
        }
        let (flags, rest) = statement.flags();
        if keyword == "HEALTHCHECK" {
            return Ok(Self::Healthcheck(Health::parse(&flags, rest)?));
        }
        if let Some(flag) = flags.first() {
            return Err(Why::refused(format!("there is no flag `{flag}`")));
        }
        if rest.is_empty() {
            return Err(Why::refused(format!("`{keyword}` has no arguments")));
        }
        let text = || rest.to_owned();
        Ok(match keyword {
            "ENV" => Self::Env(pairs(rest)?),
            "LABEL" => Self::Label(pairs(rest)?),
            "ARG" => Self::Arg(arguments(rest)?),
            "VOLUME" => match Arguments::parse(rest)? {
                Arguments::List(paths) if paths.is_empty() => {
                    return Err(Why::refused("`VOLUME` has no arguments"));
                }
                Arguments::List(paths) => {
                    Self::Volume(paths.iter().map(|path| path.trim().to_owned()).collect())
                }
                Arguments::Text(text) => {
                    Self::Volume(words::plain(&text).map(str::to_owned).collect())
                }
            },
            "EXPOSE" => Self::Expose(words::plain(rest).map(str::to_owned).collect()),
            "USER" => Self::User(text()),
            "WORKDIR" => Self::Workdir(text()),
            "STOPSIGNAL" => Self::StopSignal(text()),
            "CMD" => Self::Cmd(Arguments::parse(rest)?),
            "ENTRYPOINT" => Self::Entrypoint(Arguments::parse(rest)?),
            "SHELL" => match Arguments::parse(rest)? {
                Arguments::List(words) if !words.is_empty() => Self::Shell(words),
                _ => return Err(Why::refused("`SHELL` takes a JSON list")),
            },
            "ONBUILD" => Self::OnBuild(trigger(statement)?),
            "MAINTAINER" => Self::Maintainer(text()),
            _ => return Err(Why::refused(format!("`{keyword}` is no instruction"))),
        })
    }
}

/// `NAME=VALUE` pairs, or the old form `NAME some words`.
fn pairs(text: &str) -> Result<Vec<(String, String)>, Why> {
    let words = split(text)?;
    let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    if words.first().is_some_and(|word| !word.contains('=')) {
        let pair = words::cut(text).ok_or_else(|| Why::refused("a name has no value"))?;
        return Ok(vec![own(pair)]);
    }
    let pairs = words.iter().map(|word| match word.split_once('=') {
        Some(("", _)) => Err(Why::refused("a name is empty")),
        Some(pair) => Ok(own(pair)),
        None => Err(Why::refused(format!("`{word}` is not `NAME=VALUE`"))),
    });
    pairs.collect()
}

fn arguments(text: &str) -> Result<Vec<(String, Option<String>)>, Why> {
    let words = split(text)?;
    let arguments = words.iter().map(|word| {
        let (name, default) = match word.split_once('=') {
            Some((name, default)) => (name, Some(default.to_owned())),
            None => (word.as_str(), None),
        };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        if name.is_empty() || !name.chars().all(is_plain) {
            return Err(Why::unsure("this name of an `ARG`"));
        }
        if name.starts_with("BUILD") {
            return Err(Why::unsure("the variables of the machine that builds"));
        }
        Ok((name.to_owned(), default))
    });
    arguments.collect()
}

fn split(text: &str) -> Result<Vec<String>, Why> {
    let refused = |quote| Why::refused(format!("a quotation mark ({quote}) is not closed"));
    words::split(text).map_err(refused)
}

/// The text of a trigger, which a later build will read: it must be an instruction now.
fn trigger(statement: &Statement) -> Result<String, Why> {
    let after = statement.text.trim_start();
    let trigger = after["ONBUILD".len()..].trim_start();
    let inner = Statement::from_joined(statement.line, trigger.to_owned());
    if !heredocs(trigger).is_empty() {
        return Err(Why::unsure("heredocs"));
    }
    match inner.keyword.as_str() {
        "FROM" | "ONBUILD" | "MAINTAINER" => {
            let reason = format!("`{}` may not follow `ONBUILD`", inner.keyword);
            return Err(Why::refused(reason));
        }
        "RUN" | "COPY" | "ADD" if !inner.arguments.is_empty() => {
            Arguments::parse(inner.flags().1)?;
        }
        _ => drop(Step::parse(&inner)?),
    }
    Ok(trigger.to_owned())
}
