//! A trap, and the search for all of a Dockerfile.

use std::collections::BTreeMap;
use std::fmt;

use super::stage::Stage;
use crate::dockerfile::metadata::Configuration;
use crate::dockerfile::statement::Statement;
use crate::dockerfile::words;

/// A line that does something else than it seems to, without a word from Docker.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Trap {
    /// The line of the Dockerfile, counted from 1.
    pub line: usize,
    /// The instruction, its lines joined; shortened where it is long.
    pub instruction: String,
    /// What happens.
    pub kind: TrapKind,
}

/// The kinds of traps. As text they say what happens, without the line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TrapKind {
    /// `RUN` names a path inside a volume. The classic builder loses what it writes there; BuildKit
    /// keeps it.
    LostInVolume {
        /// The path.
        path: String,
        /// The volume.
        volume: String,
        /// The line that declares the volume; `None` where the base does.
        declared: Option<usize>,
    },
    /// `ENTRYPOINT` takes the base's command away, and no `CMD` line gives another.
    ResetsCommand {
        /// The base's command.
        command: Vec<String>,
    },
    /// A list that is no sound JSON is taken for words.
    BrokenJson {
        /// The instruction's name.
        keyword: String,
    },
    /// A variable that has no value becomes nothing.
    Unset {
        /// The variable.
        name: String,
        /// Whether this very line sets it, which it sees only afterwards.
        sets_it: bool,
    },
    /// The base's own triggers run before the first line.
    Triggers {
        /// The triggers, without `ONBUILD`.
        triggers: Vec<String>,
    },
}

impl fmt::Display for TrapKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LostInVolume {
                path,
                volume,
                declared,
            } => {
                let who = declared.map_or("the base".to_owned(), |line| format!("line {line}"));
                write!(
                    formatter,
                    "the classic builder loses what this writes to `{path}`, because {who} makes `{volume}` a volume"
                )
            }
            Self::ResetsCommand { command } => write!(
                formatter,
                "this takes away the base's command, `{}`",
                command.join(" ")
            ),
            Self::BrokenJson { keyword } => write!(
                formatter,
                "what follows `{keyword}` is no sound JSON, so Docker takes it for plain words"
            ),
            Self::Unset { name, .. } => {
                write!(formatter, "`${name}` has no value and becomes nothing")
            }
            Self::Triggers { triggers } => write!(
                formatter,
                "the base has triggers that run before the first line: `{}`",
                triggers.join("`, `")
            ),
        }
    }
}

impl TrapKind {
    /// What to write instead.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::LostInVolume { declared, .. } => Some(match declared {
                Some(_) => "put the `RUN` line before the `VOLUME` line",
                None => "write to another path; a volume of the base cannot be taken away",
            }),
            Self::ResetsCommand { .. } => Some("repeat the command in a `CMD` line"),
            Self::BrokenJson { .. } => Some("write it as `[\"word\", \"word\"]`"),
            Self::Unset { sets_it: true, .. } => {
                Some("a line does not see what it sets itself; set the variable on a line before")
            }
            Self::Unset { sets_it: false, .. } => {
                Some("set it on a line before, with `ENV`, or with `ARG` and a build argument")
            }
            Self::Triggers { .. } => None,
        }
    }
}

impl Trap {
    /// The traps of a Dockerfile, in the order of its lines. `base` is the name that `FROM` gives
    /// the upstream image. Without the configuration of that image some are not seen.
    pub fn find(
        dockerfile: &str,
        base: &str,
        configuration: Option<&Configuration>,
        args: &BTreeMap<String, String>,
    ) -> Vec<Self> {
        let mut traps = Vec::new();
        let mut stage = Stage::default();
        for statement in Statement::all(dockerfile) {
            if statement.keyword == "FROM" {
                traps.extend(stage.end());
                let (_, image) = statement.flags();
                let is_base = words::plain(image).next() == Some(base);
                stage = Stage::of(configuration.filter(|_| is_base));
                traps.extend(stage.triggers(&statement));
            } else {
                traps.extend(stage.read(&statement, args));
            }
        }
        traps.extend(stage.end());
        traps.sort_by_key(|trap| trap.line);
        traps
    }

    pub(super) fn new(statement: &Statement, kind: TrapKind) -> Self {
        Self {
            line: statement.line,
            instruction: statement.shown(),
            kind,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = r#"{"os":"linux","config":{"Env":["DATA=/data"],"Cmd":["redis-server"],
        "Volumes":{"/data":{}},"OnBuild":["RUN a","COPY . /"]}}"#;

    fn found(dockerfile: &str, base: Option<&str>) -> String {
        let configuration = base.map(|base| Configuration::parse(base.as_bytes()).unwrap());
        let args = BTreeMap::from([("GIVEN".to_owned(), "/v/given".to_owned())]);
        let traps = Trap::find(dockerfile, "base", configuration.as_ref(), &args);
        let line = |trap: Trap| {
            let hint = trap
                .kind
                .hint()
                .map_or(String::new(), |hint| format!(" ({hint})"));
            format!(
                "{} `{}`: {}{hint}\n",
                trap.line, trap.instruction, trap.kind
            )
        };
        traps.into_iter().map(line).collect()
    }

    #[test]
    fn what_docker_does_silently_is_told() {
        let dockerfile = "FROM base\n\
             ENV A=1 B=$A\n\
             LABEL x=$U y=${U} z=${V:-d} p=$PATH q='$W'\n\
             RUN echo a > /data/a; chown x:x $DATA/b\n\
             RUN touch /v/before /database\n\
             ARG GIVEN TARGETARCH NOT_GIVEN\n\
             VOLUME /v [\"$A\"]\n\
             RUN [\"touch\", \"$GIVEN\"]\n\
             RUN [ -d /x ] && echo \"$UNSET\"\n\
             USER $TARGETARCH$NOT_GIVEN\n\
             HEALTHCHECK --interval=1s CMD ['a']\n\
             ENTRYPOINT [\"a\", 'b']\n";
        insta::assert_snapshot!(found(dockerfile, Some(BASE)));
    }

    #[test]
    fn sound_lines_are_no_traps() {
        for dockerfile in [
            "FROM base\nRUN touch /v/x\nVOLUME /v\nENTRYPOINT [\"a\"]\nCMD [\"b\"]",
            "FROM base\nENV A=1\nENV B=$A\nRUN [ \"$A\" = 1 ] || exit 1\nCMD [ -x /a ]",
            "FROM base\nCMD b\nENTRYPOINT a\nEXPOSE ${PORT:-80}",
        ] {
            let base = r#"{"os":"linux","config":{"Cmd":["c"]}}"#;
            assert_eq!(found(dockerfile, Some(base)), "", "{dockerfile}");
        }
    }

    #[test]
    fn an_unknown_base_hides_some() {
        let dockerfile = "FROM base\nUSER $U\nENTRYPOINT a\nVOLUME /v\nRUN touch /v/x\n\
                          FROM other\nRUN touch /v/x\nCMD [\"a\", \n";
        insta::assert_snapshot!(found(dockerfile, None));
    }
}
