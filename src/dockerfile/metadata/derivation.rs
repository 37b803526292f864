//! What metadata lines make of a base's configuration.

use std::collections::BTreeMap;

use super::Why;
use super::configuration::{Configuration, Values};
use super::health::Health;
use super::history::quoted;
use super::json::Arguments;
use super::ports;
use super::step::Step;
use crate::dockerfile::arguments;
use crate::dockerfile::expansion::Expanded;
use crate::dockerfile::path;
use crate::dockerfile::variables::Variables;

/// The variable that every build adds where the base lacks it.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const SHELL: [&str; 2] = ["/bin/sh", "-c"];

/// A configuration while lines are applied to it.
pub(super) struct Derivation<'a> {
    pub(super) values: Values,
    pub(super) healthcheck: Option<Health>,
    pub(super) author: Option<String>,
    variables: Variables,
    has_cmd: bool,
    /// Folders that exist: the working directories so far, which hold all above them.
    folders: Vec<String>,
    target: [(&'static str, String); 4],
    args: &'a BTreeMap<String, String>,
}

impl<'a> Derivation<'a> {
    /// Begins with the base's own values.
    pub(super) fn new(
        base: &Configuration,
        args: &'a BTreeMap<String, String>,
    ) -> Result<Self, Why> {
        if base.platform.os != "linux" {
            let os = base.platform.os.clone();
            return Err(Why::Platform { os });
        }
        let mut values = base.values.clone();
        if !values.on_build.is_empty() {
            let triggers = values.on_build;
            return Err(Why::Triggers { triggers });
        }
        check_variables(&values.env)?;
        if !values.env.iter().any(|one| one.starts_with("PATH=")) {
            values.env.push(PATH.to_owned());
        }
        if args.keys().any(|name| name.starts_with("BUILDKIT_")) {
            return Err(Why::unsure("build arguments that begin with `BUILDKIT_`"));
        }
        Ok(Self {
            variables: Variables::of(&values.env),
            folders: path::joined("/", &values.working_dir).into_iter().collect(),
            target: base.target(),
            healthcheck: None,
            author: None,
            has_cmd: false,
            values,
            args,
        })
    }

    /// Applies one instruction and answers its line of the history.
    pub(super) fn apply(&mut self, step: &Step) -> Result<String, Why> {
        match step {
            Step::Env(pairs) => self.env(pairs),
            Step::Label(pairs) => self.label(pairs),
            Step::Arg(arguments) => self.arg(arguments),
            Step::Volume(paths) => self.volume(paths),
            Step::Expose(ports) => self.expose(ports),
            Step::User(user) => {
                self.values.user = self.word(user)?;
                Ok(format!("USER {}", self.values.user))
            }
            Step::Workdir(path) => self.workdir(path),
            Step::StopSignal(signal) => self.stop_signal(signal),
            Step::Cmd(command) => {
                self.values.cmd = self.command(command);
                self.values.args_escaped = true;
                self.has_cmd = true;
                Ok(format!("CMD {}", quoted(&self.values.cmd)))
            }
            Step::Entrypoint(command) => {
                self.values.entrypoint = self.command(command);
                if !self.has_cmd {
                    self.values.cmd.clear();
                }
                Ok(format!("ENTRYPOINT {}", quoted(&self.values.entrypoint)))
            }
            Step::Shell(shell) => {
                self.values.shell.clone_from(shell);
                Ok(format!("SHELL [{}]", shell.join(" ")))
            }
            Step::Healthcheck(health) => {
                self.healthcheck = Some(health.clone());
                Ok(format!("HEALTHCHECK {health}"))
            }
            Step::OnBuild(trigger) => {
                self.values.on_build.push(trigger.clone());
                Ok(format!("ONBUILD {trigger}"))
            }
            Step::Maintainer(name) => {
                self.author = Some(name.clone());
                Ok(format!("MAINTAINER {name}"))
            }
        }
    }

    fn env(&mut self, pairs: &[(String, String)]) -> Result<String, Why> {
        let pairs = self.pairs(pairs)?;
        for (name, value) in &pairs {
            if name.is_empty() || name.contains('=') {
                return Err(Why::refused(format!("`{name}` is no variable's name")));
            }
            let variable = format!("{name}={value}");
            let is_it = |old: &&mut String| old.split('=').next() == Some(name);
            match self.values.env.iter_mut().find(is_it) {
                Some(old) => *old = variable,
                None => self.values.env.push(variable),
            }
            self.variables.set(name, value);
        }
        Ok(listed("ENV", &pairs))
    }

    fn label(&mut self, pairs: &[(String, String)]) -> Result<String, Why> {
        let pairs = self.pairs(pairs)?;
        let line = listed("LABEL", &pairs);
        self.values.labels.extend(pairs);
        Ok(line)
    }

    /// All values see the variables as they were before the line.
    fn pairs(&self, pairs: &[(String, String)]) -> Result<Vec<(String, String)>, Why> {
        let pairs = pairs.iter();
        let pairs = pairs.map(|(name, value)| Ok((self.word(name)?, self.word(value)?)));
        pairs.collect()
    }

    /// The history shows the default, never the value that the build was given.
    fn arg(&mut self, arguments: &[(String, Option<String>)]) -> Result<String, Why> {
        let mut line = "ARG".to_owned();
        let mut new = Vec::new();
        for (at, (name, default)) in arguments.iter().enumerate() {
            let default = default.as_ref().map(|word| self.expanded(word));
            let default = default.transpose()?;
            let earlier = |name: &String| arguments[..at].iter().any(|(other, _)| other == name);
            if default
                .as_ref()
                .is_some_and(|default| default.names.iter().any(earlier))
            {
                return Err(Why::unsure("an `ARG` that reads another one of its line"));
            }
            let default = default.map(|default| default.text);
            line = match &default {
                Some(default) => format!("{line} {name}={default}"),
                None => format!("{line} {name}"),
            };
            let target = self.target.iter().find(|(known, _)| known == name);
            let target = target.map(|(_, value)| value.clone());
            let value = self.args.get(name).cloned().or(default).or(target);
            new.extend(value.map(|value| (name, value)));
        }
        for (name, value) in new {
            self.variables.set(name, &value);
        }
        Ok(line)
    }

    fn volume(&mut self, paths: &[String]) -> Result<String, Why> {
        let paths: Vec<_> = paths
            .iter()
            .map(|path| self.word(path))
            .collect::<Result<_, _>>()?;
        if paths.iter().any(String::is_empty) {
            return Err(Why::refused("the path of a volume is empty"));
        }
        let line = format!("VOLUME [{}]", paths.join(" "));
        for path in paths {
            self.values.volumes.entry(path).or_insert_with(empty);
        }
        Ok(line)
    }

    fn expose(&mut self, ports: &[String]) -> Result<String, Why> {
        let mut exposed = Vec::new();
        for word in ports {
            if word.find("${").is_some_and(|at| at > 0) {
                return Err(Why::unsure("a port with `${...}` inside"));
            }
            for port in self.expanded(word)?.words {
                exposed.extend(ports::exposed(&port)?);
            }
        }
        let line = format!("EXPOSE [{}]", exposed.join(" "));
        for port in exposed {
            self.values.exposed_ports.entry(port).or_insert_with(empty);
        }
        Ok(line)
    }

    fn workdir(&mut self, word: &str) -> Result<String, Why> {
        let requested = self.word(word)?;
        if requested.is_empty() {
            return Err(Why::unsure("an empty `WORKDIR`"));
        }
        let path = match path::joined(&self.values.working_dir, &requested) {
            Some(joined) if !requested.starts_with('/') => joined,
            _ => requested,
        };
        let clean = path::joined("/", &path);
        let clean = clean.ok_or_else(|| Why::unsure("an empty `WORKDIR`"))?;
        if !self
            .folders
            .iter()
            .any(|folder| path::holds(&clean, folder))
            && clean != "/"
        {
            return Err(Why::Folder { path });
        }
        self.folders.push(clean);
        self.values.working_dir = path;
        Ok(format!("WORKDIR {}", self.values.working_dir))
    }

    fn stop_signal(&mut self, word: &str) -> Result<String, Why> {
        let signal = self.word(word)?;
        if signal.contains('$') || arguments::signal(&signal).is_some() {
            return Err(Why::refused(format!("`{signal}` is not a signal")));
        }
        let line = format!("STOPSIGNAL {signal}");
        self.values.stop_signal = signal;
        Ok(line)
    }

    fn command(&self, command: &Arguments) -> Vec<String> {
        match command {
            Arguments::List(words) => words.clone(),
            Arguments::Text(text) => {
                let mut words = self.values.shell.clone();
                if words.is_empty() {
                    words.extend(SHELL.map(str::to_owned));
                }
                words.push(text.clone());
                words
            }
        }
    }

    fn word(&self, word: &str) -> Result<String, Why> {
        Ok(self.expanded(word)?.text)
    }

    fn expanded(&self, word: &str) -> Result<Expanded, Why> {
        let expanded = self.variables.expand(word);
        expanded.map_err(|source| Why::Word {
            word: word.to_owned(),
            source,
        })
    }
}

/// Builders do not agree on which of two variables of one name counts.
fn check_variables(variables: &[String]) -> Result<(), Why> {
    let mut names: Vec<_> = variables.iter().map(|one| one.split_once('=')).collect();
    names.sort_unstable();
    let is_repeated = names.windows(2).any(|two| match two {
        [Some((one, _)), Some((other, _))] => one == other,
        _ => true,
    });
    if is_repeated || names.contains(&None) {
        return Err(Why::unsure(
            "variables of the base that occur twice or have no `=`",
        ));
    }
    Ok(())
}

fn listed(keyword: &str, pairs: &[(String, String)]) -> String {
    let pairs = pairs.iter().map(|(name, value)| format!(" {name}={value}"));
    format!("{keyword}{}", pairs.collect::<String>())
}

fn empty() -> serde_json::Value {
    serde_json::Value::Object(serde_json::Map::new())
}
