//! What people find in a registry when they pull from it.

use std::fs;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use super::docker::{discard, docker};

/// An image that Docker has pulled, until the test ends.
pub(crate) struct Pulled {
    name: String,
}

impl Pulled {
    /// Pulls an image from a private registry, without leaving the login behind.
    pub(crate) fn new(name: &str, username: &str, password: &str) -> Self {
        let (host, _) = name.split_once('/').unwrap();
        let folder = tempfile::tempdir().unwrap();
        let auth = BASE64_STANDARD.encode(format!("{username}:{password}"));
        let config = json!({"auths": {host: {"auth": auth}}});
        fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
        let folder = folder.path().display().to_string();
        docker(&["--config", &folder, "pull", "--quiet", name]);
        Self {
            name: name.to_owned(),
        }
    }

    /// What commands print, in a container of the image.
    pub(crate) fn run(&self, script: &str) -> String {
        docker(&["run", "--rm", &self.name, "sh", "-c", script])
    }

    /// What the daemon knows of the image, by a template of Go's.
    pub(crate) fn inspect(&self, format: &str) -> String {
        docker(&["inspect", "--format", format, &self.name])
    }

    /// How the image was made.
    pub(crate) fn history(&self) -> String {
        docker(&["history", "--no-trunc", &self.name])
    }
}

impl Drop for Pulled {
    fn drop(&mut self) {
        discard(&["rmi", &self.name]);
    }
}
