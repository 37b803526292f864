//! Docker's configuration, and the helpers that it names.

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
async fn a_helper_answers_alone() {
    let config = r#"{
        "auths": {"c.example": {"auth": "ZmlsZTpj"}, "e.example": {"auth": "ZmlsZTpl"}},
        "credHelpers": {"a.example": "test", "e.example": ""},
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
        ("c.example", "nobody"),
        ("d.example", "nobody"),
        ("e.example", "file e"),
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
