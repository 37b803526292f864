//! What is known of a stage while its lines are read.

use std::collections::BTreeMap;

use super::{Trap, TrapKind};
use crate::dockerfile::metadata::{Configuration, Step};
use crate::dockerfile::path;
use crate::dockerfile::statement::Statement;
use crate::dockerfile::variables::Variables;
use crate::dockerfile::words::cut;

/// What is known of a stage so far.
#[derive(Default)]
pub(super) struct Stage<'a> {
    base: Option<&'a Configuration>,
    variables: Variables,
    /// Volumes, each with the line that declares it.
    volumes: Vec<(String, Option<usize>)>,
    entrypoint: Option<Statement>,
    has_cmd: bool,
}

impl<'a> Stage<'a> {
    pub(super) fn of(base: Option<&'a Configuration>) -> Self {
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

    pub(super) fn triggers(&self, from: &Statement) -> Option<Trap> {
        let triggers = self.base?.triggers().to_vec();
        (!triggers.is_empty()).then(|| Trap::new(from, TrapKind::Triggers { triggers }))
    }

    pub(super) fn read(
        &mut self,
        statement: &Statement,
        args: &BTreeMap<String, String>,
    ) -> Vec<Trap> {
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

    pub(super) fn end(&mut self) -> Option<Trap> {
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
        "HEALTHCHECK" => words = cut(words)?.1,
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
