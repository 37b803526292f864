//! Docker's configuration: `config.json` and what `docker login` keeps in it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use super::config_file::{File, MalformedAuth};
use super::{Error, Origin, helper};
use crate::image::{DOCKER_HUB, Registry};
use crate::once::Once;
use crate::registry::Login;

/// The name under which Docker keeps the login of Docker Hub.
const DOCKER_HUB_SERVER: &str = "https://index.docker.io/v1/";

/// The logins of Docker's command line: its own file and its credential helpers. What a helper
/// answered is kept for as long as this value lives.
#[derive(Debug, Default)]
pub struct DockerConfig {
    path: PathBuf,
    search_path: OsString,
    file: File,
    answers: Once<String, Result<Option<Login>, Error>>,
}

impl DockerConfig {
    /// Reads `config.json` in the directory that `DOCKER_CONFIG` names, or in `~/.docker`. A file
    /// that does not exist is an empty one. Helpers are looked for in `PATH`.
    pub fn load(env: &dyn Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let set = |name| env(name).filter(|value| !value.is_empty());
        let home = || Some(PathBuf::from(set("HOME").or_else(|| set("USERPROFILE"))?));
        let directory = set("DOCKER_CONFIG")
            .map(PathBuf::from)
            .or_else(|| Some(home()?.join(".docker")));
        let Some(directory) = directory else {
            return Ok(Self::default());
        };
        let path = directory.join("config.json");
        Ok(Self {
            file: File::read(&path)?,
            path,
            search_path: set("PATH").unwrap_or_default().into(),
            answers: Once::default(),
        })
    }

    /// The login that Docker would use at a registry: that of the helper for this registry, else of
    /// the helper for all, else of the file. As with Docker, where there is a helper the file counts
    /// for nothing, even when the helper has no login.
    pub async fn login(&self, registry: &Registry) -> Result<Option<Login>, Error> {
        let registry = host(registry.as_str());
        let server = match registry {
            DOCKER_HUB => DOCKER_HUB_SERVER,
            other => other,
        };
        if let Some(helper) = self.helper(registry) {
            return self.ask(helper, server).await;
        }
        match find(self.file.auths.as_ref(), registry) {
            Some((key, Some(entry))) => entry.login().map_err(|MalformedAuth| {
                let (path, key) = (self.path.clone(), key.clone());
                Error::MalformedAuth { path, key }
            }),
            _ => Ok(None),
        }
    }

    /// Who says what the login at a registry is.
    pub(super) fn origin(&self, registry: &Registry) -> Origin {
        match self.helper(host(registry.as_str())) {
            Some(helper) => Origin::Helper(helper::program(helper)),
            None => Origin::DockerConfig(self.path.clone()),
        }
    }

    /// The name of the helper that keeps the login of a host.
    fn helper(&self, registry: &str) -> Option<&str> {
        let own_helper = find(self.file.cred_helpers.as_ref(), registry);
        let helper = own_helper
            .map(|(_, helper)| helper)
            .or(self.file.creds_store.as_ref());
        // An empty name for one registry means the file, as with Docker.
        helper
            .map(String::as_str)
            .filter(|helper| !helper.is_empty())
    }

    async fn ask(&self, helper: &str, server: &str) -> Result<Option<Login>, Error> {
        let answer = self.answers.cell(server.to_owned());
        let ask = || helper::ask(helper, server, &self.search_path, &self.path);
        answer.get_or_init(ask).await.clone()
    }
}

/// The entry of a registry. Docker Hub has several names, and older versions of Docker wrote URLs.
fn find<'a, T>(
    entries: Option<&'a BTreeMap<String, T>>,
    registry: &str,
) -> Option<(&'a String, &'a T)> {
    let matching = entries?.iter().filter(|(key, _)| host(key) == registry);
    // Where several match, Docker's own spelling of today counts.
    matching.max_by_key(|(key, _)| [registry, DOCKER_HUB_SERVER].contains(&key.as_str()))
}

/// `https://index.docker.io/v1/` is `docker.io`, `https://ghcr.io/v2/` is `ghcr.io`.
fn host(key: &str) -> &str {
    let host = key.split_once("://").map_or(key, |(_, rest)| rest);
    let host = host.trim_end_matches('/');
    let host = host
        .strip_suffix("/v1")
        .or_else(|| host.strip_suffix("/v2"))
        .unwrap_or(host);
    match host {
        "index.docker.io" | "registry-1.docker.io" => DOCKER_HUB,
        other => other,
    }
}

#[cfg(test)]
mod tests;
