//! The configuration of a base image.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::history::HistoryEntry;
use super::object::Object;
use crate::dockerfile::programs::runs_for_target;

/// The configuration of an image for one platform, as the base of a Dockerfile. Members that Docker
/// does not know are kept.
#[derive(Clone, Debug)]
pub struct Configuration {
    pub(super) document: Object,
    pub(super) settings: Object,
    pub(super) history: Vec<Box<RawValue>>,
    pub(super) values: Values,
    pub(super) created: Option<String>,
    pub(super) platform: PlatformFields,
}

/// Why a configuration cannot be read as Docker reads it.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// It is no JSON object.
    #[error("the base's configuration is no JSON object")]
    Malformed(#[source] serde_json::Error),
    /// A member has a type that Docker does not expect.
    #[error("`{key}` in the base's configuration is not what Docker expects there")]
    Mistyped {
        /// The member.
        key: &'static str,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// Two members have one name, or a name is not written as Docker writes it.
    #[error("`{key}` in the base's configuration can be read in two ways")]
    Ambiguous {
        /// The member.
        key: String,
    },
}

/// The members of `config` that lines read or change.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Values {
    pub(super) user: String,
    pub(super) exposed_ports: BTreeMap<String, Value>,
    pub(super) env: Vec<String>,
    pub(super) entrypoint: Vec<String>,
    pub(super) cmd: Vec<String>,
    pub(super) args_escaped: bool,
    pub(super) volumes: BTreeMap<String, Value>,
    pub(super) working_dir: String,
    pub(super) on_build: Vec<String>,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) stop_signal: String,
    pub(super) shell: Vec<String>,
}

/// What a configuration says of its platform.
#[derive(Clone, Debug)]
pub(super) struct PlatformFields {
    pub(super) os: String,
    pub(super) architecture: String,
    pub(super) variant: String,
}

const CONFIG: &str = "config";
pub(super) const HISTORY: &str = "history";
pub(super) const CREATED: &str = "created";

/// The members of the document that are read.
const KNOWN: [&str; 8] = [
    CONFIG,
    HISTORY,
    CREATED,
    "author",
    "os",
    "architecture",
    "variant",
    "rootfs",
];

/// The members of `config` that are read or written.
pub(super) const SETTINGS: [&str; 15] = [
    "User",
    "ExposedPorts",
    "Env",
    "Entrypoint",
    "Cmd",
    "ArgsEscaped",
    "Volumes",
    "WorkingDir",
    "OnBuild",
    "Labels",
    "StopSignal",
    "Shell",
    "Healthcheck",
    "Image",
    "OpenStdin",
];

impl Configuration {
    /// Reads a configuration's bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, ConfigurationError> {
        let document: Object =
            serde_json::from_slice(bytes).map_err(ConfigurationError::Malformed)?;
        let settings: Object = member(&document, CONFIG)?;
        for (object, known) in [(&document, &KNOWN[..]), (&settings, &SETTINGS[..])] {
            if let Some(key) = object.repeated().or_else(|| object.misspelt(known)) {
                let key = key.to_owned();
                return Err(ConfigurationError::Ambiguous { key });
            }
        }
        Ok(Self {
            history: member(&document, HISTORY)?,
            values: Values::read(&settings)?,
            created: member(&document, CREATED)?,
            platform: PlatformFields {
                os: member(&document, "os")?,
                architecture: member(&document, "architecture")?,
                variant: member(&document, "variant")?,
            },
            document,
            settings,
        })
    }

    pub(super) fn add_history(&mut self, entries: &[HistoryEntry]) {
        let raw = |entry| to_raw_value(entry).expect("an entry becomes JSON");
        self.history.extend(entries.iter().map(raw));
    }

    /// The bytes of the configuration with these settings.
    pub(super) fn into_bytes(mut self) -> Vec<u8> {
        self.document.set(CONFIG, &self.settings);
        self.document.set(HISTORY, &self.history);
        serde_json::to_vec(&self.document).expect("what was read can be written")
    }

    /// The triggers that run when something is built on this image.
    pub(in crate::dockerfile) fn triggers(&self) -> &[String] {
        &self.values.on_build
    }

    /// Whether one of the triggers runs a program.
    pub fn has_running_trigger(&self) -> bool {
        self.triggers()
            .iter()
            .any(|trigger| runs_for_target(trigger))
    }

    /// The paths that are volumes.
    pub(in crate::dockerfile) fn volumes(&self) -> impl Iterator<Item = &str> {
        self.values.volumes.keys().map(String::as_str)
    }

    /// The command, which an `ENTRYPOINT` line would reset.
    pub(in crate::dockerfile) fn command(&self) -> &[String] {
        &self.values.cmd
    }

    /// The variables, in order, as `NAME=VALUE`.
    pub(in crate::dockerfile) fn variables(&self) -> &[String] {
        &self.values.env
    }

    /// The platform as a build for it would call it: `linux/arm64`, `v8` being what arm64 means.
    pub(super) fn target(&self) -> [(&'static str, String); 4] {
        let PlatformFields {
            os,
            architecture,
            variant,
        } = &self.platform;
        let variant = match (architecture.as_str(), variant.as_str()) {
            ("arm64", "v8" | "8") | ("amd64", "v1") => "",
            ("arm", "" | "7") => "v7",
            (_, variant) => variant,
        };
        let mut platform = format!("{os}/{architecture}");
        if !variant.is_empty() {
            platform = format!("{platform}/{variant}");
        }
        [
            ("TARGETPLATFORM", platform),
            ("TARGETOS", os.clone()),
            ("TARGETARCH", architecture.clone()),
            ("TARGETVARIANT", variant.to_owned()),
        ]
    }
}

impl Values {
    fn read(settings: &Object) -> Result<Self, ConfigurationError> {
        Ok(Self {
            user: member(settings, "User")?,
            exposed_ports: member(settings, "ExposedPorts")?,
            env: member(settings, "Env")?,
            entrypoint: member(settings, "Entrypoint")?,
            cmd: member(settings, "Cmd")?,
            args_escaped: member(settings, "ArgsEscaped")?,
            volumes: member(settings, "Volumes")?,
            working_dir: member(settings, "WorkingDir")?,
            on_build: member(settings, "OnBuild")?,
            labels: member(settings, "Labels")?,
            stop_signal: member(settings, "StopSignal")?,
            shell: member(settings, "Shell")?,
        })
    }

    /// Writes what differs from `old`. What is empty is left out.
    pub(super) fn write(&self, old: &Self, settings: &mut Object) {
        put(settings, "User", &self.user, &old.user);
        put(
            settings,
            "ExposedPorts",
            &self.exposed_ports,
            &old.exposed_ports,
        );
        put(settings, "Env", &self.env, &old.env);
        put(settings, "Entrypoint", &self.entrypoint, &old.entrypoint);
        put(settings, "Cmd", &self.cmd, &old.cmd);
        put(
            settings,
            "ArgsEscaped",
            &self.args_escaped,
            &old.args_escaped,
        );
        put(settings, "Volumes", &self.volumes, &old.volumes);
        put(settings, "WorkingDir", &self.working_dir, &old.working_dir);
        put(settings, "OnBuild", &self.on_build, &old.on_build);
        put(settings, "Labels", &self.labels, &old.labels);
        put(settings, "StopSignal", &self.stop_signal, &old.stop_signal);
        put(settings, "Shell", &self.shell, &old.shell);
    }
}

fn put<T: Default + PartialEq + Serialize>(settings: &mut Object, key: &str, new: &T, old: &T) {
    if new == old {
        return;
    }
    if *new == T::default() {
        settings.remove(key);
    } else {
        settings.set(key, new);
    }
}

fn member<T: DeserializeOwned + Default>(
    object: &Object,
    key: &'static str,
) -> Result<T, ConfigurationError> {
    let value = object.read(key);
    let value = value.map_err(|source| ConfigurationError::Mistyped { key, source })?;
    Ok(value.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Configuration::parse(text.as_bytes())
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn what_docker_would_not_read_is_refused() {
        assert_eq!(error("[]"), "the base's configuration is no JSON object");
        assert_eq!(
            error(r#"{"config":{"Env":"A=1"}}"#),
            "`Env` in the base's configuration is not what Docker expects there"
        );
        for text in [r#"{"config":{},"Config":{}}"#, r#"{"config":{"env":[]}}"#] {
            assert!(error(text).ends_with("can be read in two ways"), "{text}");
        }
    }

    #[test]
    fn null_and_nothing_are_alike() {
        for text in ["{}", r#"{"config":null,"history":null,"created":null}"#] {
            let base = Configuration::parse(text.as_bytes()).unwrap();
            assert_eq!(base.values, Values::default());
        }
    }

    #[test]
    fn a_platform_has_the_name_that_a_build_gives_it() {
        for (architecture, variant, platform) in [
            ("amd64", "", "linux/amd64"),
            ("arm64", "v8", "linux/arm64"),
            ("arm", "", "linux/arm/v7"),
            ("arm", "v6", "linux/arm/v6"),
        ] {
            let text = format!(
                r#"{{"os":"linux","architecture":"{architecture}","variant":"{variant}"}}"#
            );
            let base = Configuration::parse(text.as_bytes()).unwrap();
            assert_eq!(base.target()[0].1, platform);
        }
    }
}
