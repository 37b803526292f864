//! Docker's configuration: `config.json` and what `docker login` keeps in it.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::config_file::{File, MalformedAuth};
use super::{Error, helper};
use crate::image::{DOCKER_HUB, Registry};
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
    answers: Mutex<HashMap<String, Arc<Answer>>>,
}

type Answer = OnceCell<Result<Option<Login>, Error>>;

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
            answers: Mutex::default(),
        })
    }

    /// The login that Docker would use at a registry: that of the helper for this registry or for
    /// all, else that of the file.
    pub async fn login(&self, registry: &Registry) -> Result<Option<Login>, Error> {
        let registry = host(registry.as_str());
        let server = match registry {
            DOCKER_HUB => DOCKER_HUB_SERVER,
            other => other,
        };
        let own_helper = find(self.file.cred_helpers.as_ref(), registry);
        let helper = own_helper
            .map(|(_, helper)| helper)
            .or(self.file.creds_store.as_ref());
        if let Some(helper) = helper.filter(|helper| !helper.is_empty())
            && let Some(login) = self.ask(helper, server).await?
        {
            return Ok(Some(login));
        }
        match find(self.file.auths.as_ref(), registry) {
            Some((key, Some(entry))) => entry.login().map_err(|MalformedAuth| {
                let (path, key) = (self.path.clone(), key.clone());
                Error::MalformedAuth { path, key }
            }),
            _ => Ok(None),
        }
    }

    async fn ask(&self, helper: &str, server: &str) -> Result<Option<Login>, Error> {
        let answer = {
            let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(answers.entry(server.to_owned()).or_default())
        };
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
mod tests {
    use std::fs;
    use std::io::Write;
    use std::process::{Command, Stdio};

    use secrecy::ExposeSecret;

    use super::*;
    use crate::failure::Failure;

    /// A home with a `config.json` and one helper, `docker-credential-test`.
    struct Home(tempfile::TempDir);

    impl Home {
        fn new(config: &str) -> Self {
            let home = Self(tempfile::tempdir().unwrap());
            fs::create_dir(home.0.path().join(".docker")).unwrap();
            fs::write(home.config(), config).unwrap();
            home
        }

        fn config(&self) -> PathBuf {
            self.0.path().join(".docker/config.json")
        }

        /// Another process writes the helper: as long as this one had it open, no process that a
        /// parallel test forks meanwhile could run it.
        fn with_helper(self, script: &str) -> Self {
            let mut shell = Command::new("sh")
                .args([
                    "-c",
                    "cat > docker-credential-test; chmod +x docker-credential-test",
                ])
                .current_dir(self.0.path())
                .stdin(Stdio::piped())
                .spawn()
                .unwrap();
            let mut stdin = shell.stdin.take().unwrap();
            write!(stdin, "#!/bin/sh\n{script}\n").unwrap();
            drop(stdin);
            assert!(shell.wait().unwrap().success());
            self
        }

        fn load(&self) -> Result<DockerConfig, Error> {
            let home = self.0.path().to_str().unwrap();
            DockerConfig::load(&|name| match name {
                "HOME" => Some(home.to_owned()),
                "PATH" => Some(format!("{home}:/usr/bin:/bin")),
                _ => None,
            })
        }

        async fn login(&self, registry: &str) -> String {
            let login = self.load().unwrap().login(&registry.parse().unwrap()).await;
            show(login.unwrap().as_ref())
        }

        async fn failure(&self, registry: &str) -> String {
            let login = self.load().unwrap().login(&registry.parse().unwrap()).await;
            let error = login.unwrap_err();
            let text = format!("{error}; {}", error.hint().unwrap());
            text.replace(self.0.path().to_str().unwrap(), "~")
        }
    }

    fn show(login: Option<&Login>) -> String {
        match login {
            Some(Login::Password { username, password }) => {
                format!("{username} {}", password.expose_secret())
            }
            Some(Login::IdentityToken(token)) => format!("token {}", token.expose_secret()),
            None => "nobody".to_owned(),
        }
    }

    #[tokio::test]
    async fn reads_the_file() {
        let home = Home::new(
            r#"{
                "auths": {
                    "https://index.docker.io/v1/": {"auth": "aHViOnBhOnNz"},
                    "docker.io": {"auth": "b2xkOm9sZA=="},
                    "https://ghcr.io/v2/": {"username": "octo", "password": "cat"},
                    "azure.example": {"auth": "MDAwOg==", "identitytoken": "refresh"},
                    "quay.io/team": {"auth": "dGVhbTpvbmx5"},
                    "empty.example": {},
                    "null.example": null
                },
                "HttpHeaders": {"User-Agent": "Docker-Client"}
            }"#,
        );
        for (registry, login) in [
            ("docker.io", "hub pa:ss"),
            ("registry-1.docker.io", "hub pa:ss"),
            ("ghcr.io", "octo cat"),
            ("azure.example", "token refresh"),
            ("quay.io", "nobody"),
            ("empty.example", "nobody"),
            ("null.example", "nobody"),
            ("ghcr.io:443", "nobody"),
        ] {
            assert_eq!(home.login(registry).await, login, "{registry}");
        }
    }

    #[tokio::test]
    async fn a_helper_for_the_registry_then_the_store_then_the_file() {
        let config = r#"{
            "auths": {"a.example": {"auth": "ZmlsZTphCg=="}, "c.example": {"auth": "ZmlsZTpj"}},
            "credHelpers": {"a.example": "test"},
            "credsStore": "test"
        }"#;
        let home = Home::new(config).with_helper(
            r#"read -r server
            case "$1 $server" in
                "get a.example") echo '{"ServerURL":"a","Username":"helper","Secret":"a"}' ;;
                "get https://index.docker.io/v1/") echo '{"Username":"<token>","Secret":"hub"}' ;;
                *) echo "credentials not found in native keychain"; exit 1 ;;
            esac"#,
        );
        for (registry, login) in [
            ("a.example", "helper a"),
            ("docker.io", "token hub"),
            ("c.example", "file c"),
            ("d.example", "nobody"),
        ] {
            assert_eq!(home.login(registry).await, login, "{registry}");
        }
    }

    #[tokio::test]
    async fn a_helper_is_asked_once() {
        let home = Home::new(r#"{"credsStore": "test"}"#)
            .with_helper(r#"echo asked >> "${0%/*}/log"; echo '{"Username":"u","Secret":"s"}'"#);
        let config = home.load().unwrap();
        let registry: Registry = "a.example".parse().unwrap();
        for _ in 0..2 {
            assert_eq!(show(config.login(&registry).await.unwrap().as_ref()), "u s");
        }
        let log = fs::read_to_string(home.0.path().join("log")).unwrap();
        assert_eq!(log, "asked\n");
    }

    #[tokio::test]
    async fn says_what_is_wrong_with_a_helper() {
        let home = Home::new(r#"{"credHelpers": {"a.example": "nosuch", "b.example": "test"}}"#)
            .with_helper("echo secret; echo no session >&2; exit 3");
        assert_eq!(
            home.failure("a.example").await,
            "the credential helper `docker-credential-nosuch` for `a.example` is not in PATH; \
             install `docker-credential-nosuch`, remove it from `~/.docker/config.json`, or add \
             the login under `upstreams`"
        );
        assert_eq!(
            home.failure("b.example").await,
            "the credential helper `docker-credential-test` failed for `b.example`: no session; \
             try `echo b.example | docker-credential-test get`, or add the login under `upstreams`"
        );
        let home = home.with_helper("echo secret");
        assert_eq!(
            home.failure("b.example").await,
            "the credential helper `docker-credential-test` gave a malformed answer for \
             `b.example`; try `echo b.example | docker-credential-test get`, or add the login \
             under `upstreams`"
        );
    }

    #[tokio::test]
    async fn says_what_is_wrong_with_the_file() {
        let home = Home::new(r#"{"auths": {"a.example": {"auth": "secret"}}}"#);
        assert_eq!(
            home.failure("a.example").await,
            "`auth` of `a.example` in Docker's configuration `~/.docker/config.json` is malformed; \
             run `docker login a.example` again"
        );
        let home = Home::new("{\n\"auths\": \"secret\"}");
        let error = home.load().unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "Docker's configuration `{}` is malformed at line 2, column 17",
                home.config().display()
            )
        );
    }

    #[test]
    fn nothing_is_needed() {
        assert!(DockerConfig::load(&|_| None).is_ok());
        let nowhere = |name: &str| (name == "DOCKER_CONFIG").then(|| "/nonexistent".to_owned());
        assert!(DockerConfig::load(&nowhere).is_ok());
        assert!(Home::new("").load().is_ok());
    }

    #[test]
    fn debug_shows_no_secret() {
        let config = r#"{"auths": {"a": {"auth": "b64secret", "password": "b64secret"}}}"#;
        let config = Home::new(config).load().unwrap();
        assert!(!format!("{config:?}").contains("b64secret"));
    }
}
