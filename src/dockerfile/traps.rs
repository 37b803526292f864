//! What Docker does silently.

use std::collections::BTreeMap;
use std::fmt;

use super::metadata::{Configuration, Step};
use super::path;
use super::statement::Statement;
use super::variables::Variables;
use super::words;

/// A line that does something else than it seems to, without a word from Docker.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Trap {
    /// The line of the Dockerfile, counted from 1.
    pub line: usize,
    /// The instruction, its lines joined.
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

    fn new(statement: &Statement, kind: TrapKind) -> Self {
        Self {
            line: statement.line,
            instruction: statement.text.trim().to_owned(),
            kind,
        }
    }
}

/// What is known of a stage so far.
#[derive(Default)]
struct Stage<'a> {
    base: Option<&'a Configuration>,
    variables: Variables,
    /// Volumes, each with the line that declares it.
    volumes: Vec<(String, Option<usize>)>,
    entrypoint: Option<Statement>,
    has_cmd: bool,
}

impl<'a> Stage<'a> {
    fn of(base: Option<&'a Configuration>) -> Self {
        let Some(configuration) = base else {
            return Self::default();
        };
        let volumes = configuration.volumes().filter_map(clean);
        Self {
            base,
            variables: Variables::of(configuration.variables()),
            volumes: volumes.map(|volume| (volume, None)).collect(),
            ..Self::default()
        }
    }

    fn triggers(&self, from: &Statement) -> Option<Trap> {
        let triggers = self.base?.triggers().to_vec();
        (!triggers.is_empty()).then(|| Trap::new(from, TrapKind::Triggers { triggers }))
    }

    fn read(&mut self, statement: &Statement, args: &BTreeMap<String, String>) -> Vec<Trap> {
        let mut kinds = Vec::new();
        kinds.extend(broken_json(statement));
        match statement.keyword.as_str() {
            "RUN" => kinds.extend(self.lost(statement)),
            "CMD" => self.has_cmd = true,
            "ENTRYPOINT" => {
                self.entrypoint.get_or_insert_with(|| statement.clone());
            }
            _ => {}
        }
        let step = Step::parse(statement).ok();
        kinds.extend(self.unset(statement, step.as_ref()));
        match step {
            Some(Step::Env(pairs)) => self.set(pairs),
            Some(Step::Arg(arguments)) => {
                // Platforms have a value with BuildKit; it does not matter which.
                let given = |name: &str| match name {
                    _ if name.starts_with("TARGET") || name.starts_with("BUILD") => {
                        Some(String::new())
                    }
                    name => args.get(name).cloned(),
                };
                let known = arguments.into_iter().filter_map(|(name, default)| {
                    let value = given(&name).or(default)?;
                    Some((name, value))
                });
                self.set(known.collect());
            }
            Some(Step::Volume(paths)) => {
                let paths = paths.iter().map(|path| self.expanded(path));
                let volumes = paths.filter_map(|path| clean(&path));
                let volumes: Vec<_> = volumes.map(|path| (path, Some(statement.line))).collect();
                self.volumes.extend(volumes);
            }
            _ => {}
        }
        let traps = kinds.into_iter();
        traps.map(|kind| Trap::new(statement, kind)).collect()
    }

    fn set(&mut self, pairs: Vec<(String, String)>) {
        let pairs = pairs.into_iter();
        let pairs: Vec<_> = pairs
            .map(|(name, value)| (self.expanded(&name), self.expanded(&value)))
            .collect();
        for (name, value) in pairs {
            self.variables.set(&name, &value);
        }
    }

    /// A word as far as it can be expanded.
    fn expanded(&self, word: &str) -> String {
        let expanded = self.variables.expand(word);
        expanded.map_or_else(|_| word.to_owned(), |expanded| expanded.text)
    }

    /// Variables without a value, which can be told only where the base's are known.
    fn unset(&self, statement: &Statement, step: Option<&Step>) -> Vec<TrapKind> {
        let expands = matches!(
            statement.keyword.as_str(),
            "ENV"
                | "LABEL"
                | "ARG"
                | "VOLUME"
                | "USER"
                | "WORKDIR"
                | "EXPOSE"
                | "STOPSIGNAL"
                | "COPY"
                | "ADD"
        );
        if !expands || self.base.is_none() {
            return Vec::new();
        }
        let (_, words) = statement.flags();
        let Ok(expanded) = self.variables.expand(words) else {
            return Vec::new();
        };
        // Every build has a path, and the proxies that it is given.
        let is_given = |name: &String| name == "PATH" || name.to_lowercase().ends_with("_proxy");
        let mut names = expanded.unset;
        names.retain(|name| !is_given(name));
        names.sort();
        names.dedup();
        let sets = |name: &String| match step {
            Some(Step::Env(pairs)) => pairs.iter().any(|(other, _)| other == name),
            Some(Step::Arg(arguments)) => arguments.iter().any(|(other, _)| other == name),
            _ => false,
        };
        let names = names.into_iter();
        names
            .map(|name| TrapKind::Unset {
                sets_it: sets(&name),
                name,
            })
            .collect()
    }

    /// Paths inside a volume. What a program writes cannot be known; that it names the path is
    /// taken for a sign.
    fn lost(&self, run: &Statement) -> Vec<TrapKind> {
        let (_, command) = run.flags();
        let mut found = Vec::new();
        for word in command.split(|c: char| c.is_whitespace() || ";|&<>()[]{}=,:\"'`".contains(c)) {
            if !word.starts_with(['/', '$']) {
                continue;
            }
            let Some(path) = clean(&self.expanded(word)) else {
                continue;
            };
            let volume = self
                .volumes
                .iter()
                .find(|(volume, _)| path::holds(volume, &path));
            if let Some((volume, declared)) = volume {
                let kind = TrapKind::LostInVolume {
                    path,
                    volume: volume.clone(),
                    declared: *declared,
                };
                if !found.contains(&kind) {
                    found.push(kind);
                }
            }
        }
        found
    }

    fn end(&mut self) -> Option<Trap> {
        let command = self.base?.command().to_vec();
        let entrypoint = self.entrypoint.take()?;
        let is_lost = !self.has_cmd && !command.is_empty();
        is_lost.then(|| Trap::new(&entrypoint, TrapKind::ResetsCommand { command }))
    }
}

/// An absolute path, other than the root, as [`path::holds`] compares it.
fn clean(path: &str) -> Option<String> {
    path::joined("/", path).filter(|path| path != "/")
}

/// Looks for a list that was meant to be JSON: `[` opens it, and a quotation mark or a word comes
/// at once, or a comma follows a quotation mark. `[ -d /x ]` is a command.
fn broken_json(statement: &Statement) -> Option<TrapKind> {
    let (_, mut words) = statement.flags();
    match statement.keyword.as_str() {
        "HEALTHCHECK" => words = super::words::cut(words)?.1,
        "RUN" | "CMD" | "ENTRYPOINT" | "SHELL" | "VOLUME" | "COPY" | "ADD" => {}
        _ => return None,
    }
    let rest = words.strip_prefix('[')?;
    let is_meant = rest.starts_with(|c: char| !c.is_whitespace() && c != '[')
        || ["\",", "',", "\" ,", "' ,"]
            .iter()
            .any(|list| rest.contains(list));
    let is_broken = serde_json::from_str::<Vec<String>>(words).is_err();
    (is_meant && is_broken).then(|| TrapKind::BrokenJson {
        keyword: statement.keyword.clone(),
    })
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
