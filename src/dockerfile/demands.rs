//! What lines ask of whoever builds.

use parse_dockerfile::{Flag, Instruction, RunInstruction};

use super::instructions::Wrong;

/// What lines ask of whoever builds.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Demands {
    /// Whether a line runs a program of the image.
    pub runs: bool,
    /// What only BuildKit understands, in the order of the lines.
    pub buildkit: Vec<BuildKitNeed>,
    /// The secrets that lines mount, in the order of the lines.
    pub secrets: Vec<SecretUse>,
}

/// What only BuildKit understands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BuildKitNeed {
    /// The line that it begins on, counted from 0 in its entry.
    pub line: usize,
    /// The entry, counted from 0.
    pub entry: usize,
    /// What it is: `RUN --mount` in backticks, or a heredoc.
    pub what: String,
    /// The first Docker whose BuildKit knows it, where the oldest does not.
    pub since: Option<Release>,
}

/// A release of Docker.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Release {
    /// Its name, such as `23.0`.
    pub name: &'static str,
    /// The version of its API.
    pub api: (usize, usize),
}

/// The Dockerfile frontends 1.3 and 1.4, which are in this release.
const DOCKER_23: Release = Release {
    name: "23.0",
    api: (1, 42),
};

/// A secret that a line mounts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SecretUse {
    /// The line that it begins on, counted from 0 in its entry.
    pub line: usize,
    /// The entry, counted from 0.
    pub entry: usize,
    /// The secret's name.
    pub id: String,
}

impl Demands {
    /// Adds those of an instruction that begins on a line.
    pub(super) fn add(&mut self, other: Self, line: usize) {
        self.runs |= other.runs;
        let needs = other.buildkit.into_iter();
        self.buildkit
            .extend(needs.map(|need| BuildKitNeed { line, ..need }));
        let uses = other.secrets.into_iter();
        self.secrets.extend(uses.map(|it| SecretUse { line, ..it }));
    }

    /// Adds those of an entry of lines.
    pub(super) fn add_entry(&mut self, other: Self, entry: usize) {
        self.runs |= other.runs;
        let needs = other.buildkit.into_iter();
        self.buildkit
            .extend(needs.map(|need| BuildKitNeed { entry, ..need }));
        let uses = other.secrets.into_iter();
        self.secrets
            .extend(uses.map(|it| SecretUse { entry, ..it }));
    }

    /// Adds that there is a heredoc.
    pub(super) fn heredoc(&mut self) {
        self.need("a heredoc".to_owned(), Some(DOCKER_23));
    }

    /// Adds those of an instruction.
    pub(super) fn of(&mut self, instruction: &Instruction<'_>) -> Vec<Wrong> {
        match instruction {
            Instruction::Run(run) => {
                self.runs = true;
                self.flags("RUN", &run.options, &[]);
                return self.mounts(run);
            }
            Instruction::Copy(copy) => self.flags("COPY", &copy.options, &["from", "chown"]),
            Instruction::Add(add) => self.flags("ADD", &add.options, &["chown"]),
            _ => {}
        }
        Vec::new()
    }

    fn flags(&mut self, instruction: &str, flags: &[Flag<'_>], classic: &[&str]) {
        for flag in flags {
            let name = flag.name.value.as_ref();
            if !classic.contains(&name) {
                let since = ["link", "network"].contains(&name).then_some(DOCKER_23);
                self.need(format!("`{instruction} --{name}`"), since);
            }
        }
    }

    fn need(&mut self, what: String, since: Option<Release>) {
        self.buildkit.push(BuildKitNeed {
            line: 0,
            entry: 0,
            what,
            since,
        });
    }

    fn mounts(&mut self, run: &RunInstruction<'_>) -> Vec<Wrong> {
        let mut wrongs = Vec::new();
        for mount in Mount::all(run) {
            match mount.kind() {
                "ssh" => {
                    let message = "there is no SSH agent in a build";
                    let hint = "give what it needs as a secret: `RUN --mount=type=secret,id=...`";
                    wrongs.push(Wrong::new(message, hint));
                }
                "secret" => self.secrets.extend(mount.secret().map(|id| SecretUse {
                    line: 0,
                    entry: 0,
                    id,
                })),
                _ => {}
            }
        }
        wrongs
    }
}

/// A `--mount` of a `RUN` line: its fields, split at commas.
pub(super) struct Mount(Vec<(String, String)>);

impl Mount {
    /// Those of a line.
    pub(super) fn all(run: &RunInstruction<'_>) -> Vec<Self> {
        let options = run.options.iter();
        let mounts = options.filter(|flag| flag.name.value == "mount");
        let values = mounts.filter_map(|flag| flag.value.as_ref());
        values.map(|value| Self::parse(&value.value)).collect()
    }

    /// Reads what follows `--mount=`.
    pub(super) fn parse(text: &str) -> Self {
        let fields = text.split(',').map(|field| {
            let (name, value) = field.split_once('=').unwrap_or((field, "true"));
            (name.trim().to_ascii_lowercase(), value.to_owned())
        });
        Self(fields.collect())
    }

    /// One of its fields, by any of its names.
    pub(super) fn field(&self, names: &[&str]) -> Option<&str> {
        let mut fields = self.0.iter();
        let found = fields.find(|(name, _)| names.contains(&name.as_str()));
        found.map(|(_, value)| value.as_str())
    }

    /// `bind`, `cache`, `secret` and so on.
    pub(super) fn kind(&self) -> &str {
        self.field(&["type"]).unwrap_or("bind")
    }

    /// The secret that there must be: BuildKit names it after its target where nothing names it,
    /// and `required=false` says that the line can do without.
    fn secret(&self) -> Option<String> {
        let target = self.field(&["target", "dst", "destination"]);
        let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        let id = self.field(&["id"]).map(str::to_owned);
        let id = id.or_else(|| target.map(name));
        id.filter(|_| self.field(&["required"]) != Some("false"))
    }
}
