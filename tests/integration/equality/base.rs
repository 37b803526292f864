//! The images that combinations are built on.

use std::process;

use longshore::image::Digest;
use serde_json::{Value, json};

use crate::harness::{LABEL, archive};

pub(super) struct Base {
    tag: &'static str,
    pub(super) platform: &'static str,
    configuration: Value,
}

impl Base {
    /// One with every field set, one with next to none, and one of another architecture.
    pub(super) fn all() -> Vec<Self> {
        vec![
            Self::new("full", "amd64", &full()),
            Self::new("bare", "amd64", &json!({})),
            Self::new("foreign", "arm64", &full()),
        ]
    }

    fn new(tag: &'static str, architecture: &str, config: &Value) -> Self {
        let mut configuration = json!({
            "architecture": architecture,
            "os": "linux",
            "created": "2024-01-02T03:04:05.678Z",
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [Digest::of(&layer()).to_string()]},
            "history": [
                {"created": "2023-01-02T03:04:05Z", "created_by": "layer", "author": "base"},
                {"created": "2023-01-02T03:04:06Z", "created_by": "CMD", "empty_layer": true},
            ],
        });
        // Runs side by side on one daemon must not remove each other's images.
        configuration["config"]["Labels"][LABEL] = json!(run());
        if tag != "bare" {
            let more = json!({
                "author": "base", "container": "base", "container_config": {"Cmd": ["base"]},
                "docker_version": "base", "x-top": {"z": 1.5},
            });
            let more = more.as_object().unwrap().clone();
            configuration.as_object_mut().unwrap().extend(more);
        }
        let platform = if architecture == "arm64" {
            configuration["variant"] = json!("v8");
            "linux/arm64"
        } else {
            "linux/amd64"
        };
        Self {
            tag,
            platform,
            configuration,
        }
    }

    pub(super) fn name(&self) -> String {
        format!("{}:{}", run(), self.tag)
    }

    pub(super) fn has_folders(&self) -> bool {
        self.tag != "bare"
    }

    pub(super) fn configuration(&self) -> &Value {
        &self.configuration
    }

    /// The archive that `docker load` takes.
    pub(super) fn archive(&self) -> Vec<u8> {
        let configuration = self.configuration.to_string();
        let name = Digest::of(configuration.as_bytes())
            .to_string()
            .replace("sha256:", "")
            + ".json";
        let manifest = json!([{
            "Config": name, "RepoTags": [self.name()], "Layers": ["layer/layer.tar"],
        }]);
        archive(&[
            (&name, Some(configuration.as_bytes())),
            ("layer", None),
            ("layer/layer.tar", Some(&layer())),
            ("manifest.json", Some(manifest.to_string().as_bytes())),
        ])
    }
}

/// The name of this run's images.
fn run() -> String {
    format!("longshore-equality-{}", process::id())
}

/// The folders that `WORKDIR` lines name, and the users who BuildKit makes them for.
fn layer() -> Vec<u8> {
    let users = b"root:x:0:0::/:/bin/sh\nbase:x:1000:1000::/:/bin/sh\n";
    archive(&[
        ("etc", None),
        ("etc/passwd", Some(users)),
        ("etc/group", Some(b"root:x:0:\nbase:x:1000:\n")),
        ("srv", None),
        ("srv/app", None),
        ("srv/app/data", None),
    ])
}

/// A base's `config` with every field that Docker knows set, and one that it does not know.
fn full() -> Value {
    json!({
        "Hostname": "host", "Domainname": "domain", "User": "base",
        "AttachStdin": true, "AttachStdout": true, "AttachStderr": true,
        "ExposedPorts": {"1/tcp": {}, "80/tcp": {}}, "Tty": true, "OpenStdin": true, "StdinOnce": true,
        "Env": ["PATH=/bin", "A=base", "B=two words", "E=", "W=/srv/app", "P=8080 8081/udp"],
        "Cmd": ["base-cmd"],
        "Healthcheck": {
            "Test": ["CMD", "base"], "Interval": 5_000_000_000_u64, "Timeout": 6_000_000_000_u64,
            "StartPeriod": 7_000_000_000_u64, "Retries": 4,
        },
        "ArgsEscaped": true, "Image": "sha256:base", "Volumes": {"/base": {}},
        "WorkingDir": "/srv/app/data", "Entrypoint": ["base-entrypoint"], "NetworkDisabled": true,
        "MacAddress": "02:42:ac:11:00:02", "OnBuild": [], "Labels": {"l": "base", "z": "base"},
        "StopSignal": "SIGINT", "StopTimeout": 7, "Shell": ["/bin/ash", "-c"],
        "x-unknown": {"z": 1, "a": 2},
    })
}
