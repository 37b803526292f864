//! Where the daemon is.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::context::{self, read};
use super::error::Error;

#[cfg(unix)]
const DEFAULT: &str = "unix:///var/run/docker.sock";
#[cfg(not(unix))]
const DEFAULT: &str = "npipe:////./pipe/docker_engine";

/// The name of the context that stands for the environment and the default socket.
pub(super) const DEFAULT_CONTEXT: &str = "default";

/// Where the daemon is and how it is spoken to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Address {
    pub(super) scheme: Scheme,
    /// What follows `://`.
    pub(super) place: String,
    /// Set for TCP only.
    pub(super) tls: Option<Tls>,
}

/// How bytes travel to the daemon.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Scheme {
    Unix,
    NamedPipe,
    Tcp,
    Ssh,
}

/// The PEM files of a connection over TLS.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Tls {
    pub(super) ca: PathBuf,
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Configuration {
    current_context: Option<String>,
}

impl Address {
    /// Docker's own order: DOCKER_HOST, DOCKER_CONTEXT, the current context, the default socket. A
    /// variable that is set but empty counts as unset, as it does for the `docker` command.
    pub(super) fn resolve(env: &dyn Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let env = |name: &str| env(name).filter(|value| !value.is_empty());
        let folder = folder(&env);
        if let Some(host) = env("DOCKER_HOST") {
            return Self::from_environment(&host, folder.as_deref(), &env);
        }
        let configuration = folder.as_ref().map(|folder| folder.join("config.json"));
        let (name, named_by) = match (env("DOCKER_CONTEXT"), configuration) {
            (Some(name), _) => (Some(name), "DOCKER_CONTEXT".to_owned()),
            (None, Some(path)) => (
                read::<Configuration>(&path)?.and_then(|file| file.current_context),
                path.display().to_string(),
            ),
            (None, None) => (None, String::new()),
        };
        match name.filter(|name| !name.is_empty() && name != DEFAULT_CONTEXT) {
            Some(name) => context::find(folder.as_deref(), &name, &named_by),
            None => Self::from_environment(DEFAULT, folder.as_deref(), &env),
        }
    }

    fn from_environment(
        host: &str,
        folder: Option<&Path>,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Error> {
        let certificates = env("DOCKER_CERT_PATH").map(PathBuf::from);
        let certificates = certificates.or_else(|| folder.map(Path::to_owned));
        let verify = env("DOCKER_TLS_VERIFY").is_some();
        let address = Self::parse(host, &certificates.unwrap_or_default(), verify)?;
        if address.scheme == Scheme::Tcp && !verify && env("DOCKER_TLS").is_some() {
            let place = "DOCKER_TLS without DOCKER_TLS_VERIFY".to_owned();
            return Err(Error::Unverified { place });
        }
        Ok(address)
    }

    /// Reads `scheme://place`, completing it as the `docker` command does: no scheme means TCP,
    /// no port means 2375, with TLS 2376. TCP is spoken over TLS where that is wanted, and with
    /// `https://` in any case; `certificates` is the folder of its files.
    pub(super) fn parse(host: &str, certificates: &Path, with_tls: bool) -> Result<Self, Error> {
        let (scheme, place) = host.split_once("://").unwrap_or(("tcp", host));
        let with_tls = with_tls || scheme == "https";
        let scheme = match scheme {
            "unix" => Scheme::Unix,
            "npipe" => Scheme::NamedPipe,
            "tcp" | "http" | "https" => Scheme::Tcp,
            "ssh" => Scheme::Ssh,
            _ => return Err(Error::NotAnAddress { host: host.into() }),
        };
        let tls = (with_tls && scheme == Scheme::Tcp).then(|| Tls::within(certificates));
        let place = match scheme {
            Scheme::Tcp => place.trim_end_matches('/'),
            _ => place,
        };
        let is_path = place.starts_with('/');
        let wants_path = matches!(scheme, Scheme::Unix | Scheme::NamedPipe);
        if place.is_empty() || is_path != wants_path {
            return Err(Error::NotAnAddress { host: host.into() });
        }
        let place = match scheme {
            Scheme::Tcp if !has_port(place) => {
                let port = if tls.is_some() { 2376 } else { 2375 };
                format!("{place}:{port}")
            }
            _ => place.to_owned(),
        };
        Ok(Self { scheme, place, tls })
    }
}

impl Tls {
    /// The files by their usual names in one folder.
    fn within(folder: &Path) -> Self {
        Self {
            ca: folder.join("ca.pem"),
            certificate: folder.join("cert.pem"),
            key: folder.join("key.pem"),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Unix => "unix",
            Scheme::NamedPipe => "npipe",
            Scheme::Tcp => "tcp",
            Scheme::Ssh => "ssh",
        };
        write!(formatter, "{scheme}://{}", self.place)
    }
}

/// The folder of Docker's configuration.
fn folder(env: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let home = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
    let usual = || env(home).map(|home| Path::new(&home).join(".docker"));
    env("DOCKER_CONFIG").map(PathBuf::from).or_else(usual)
}

fn has_port(place: &str) -> bool {
    place
        .rsplit_once(':')
        .is_some_and(|(_, port)| !port.contains(']'))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::failure::Failure as _;
    use crate::image::Digest;

    fn add_context(folder: &Path, name: &str, host: &str, with_tls: bool) {
        let hash = Digest::of(name.as_bytes());
        let meta = folder.join("contexts/meta").join(hash.hex());
        fs::create_dir_all(&meta).unwrap();
        let endpoint = serde_json::json!({"Host": host, "SkipTLSVerify": host.contains("skip")});
        let content = serde_json::json!({
            "Name": name, "Metadata": {}, "Endpoints": {"docker": endpoint}
        });
        fs::write(meta.join("meta.json"), content.to_string()).unwrap();
        if with_tls {
            let tls = folder.join("contexts/tls").join(hash.hex());
            fs::create_dir_all(tls.join("docker")).unwrap();
        }
    }

    /// Resolves in a home with the contexts `desktop`, `lax` and `remote`, of which `desktop` is current.
    fn resolve(variables: &[(&str, &str)]) -> String {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join(".docker");
        add_context(&folder, "desktop", "unix:///run/desktop.sock", false);
        add_context(&folder, "remote", "tcp://10.0.0.9:2376", true);
        add_context(&folder, "lax", "tcp://skip:2376", false);
        fs::write(
            folder.join("config.json"),
            r#"{"auths": {}, "currentContext": "desktop"}"#,
        )
        .unwrap();
        let place = home.path().to_str().unwrap();
        let env = |name: &str| match name {
            "HOME" | "USERPROFILE" => Some(place.to_owned()),
            name => variables
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned()),
        };
        let described = match Address::resolve(&env) {
            Ok(address) => match &address.tls {
                Some(tls) => format!("{address} with {}", tls.ca.display()),
                None => address.to_string(),
            },
            Err(error) => format!("{error} ({})", error.hint().unwrap_or_default()),
        };
        described.replace(place, "~")
    }

    #[test]
    fn dockers_own_order() {
        assert_eq!(resolve(&[]), "unix:///run/desktop.sock");
        assert_eq!(
            resolve(&[("DOCKER_CONTEXT", "remote")]),
            "tcp://10.0.0.9:2376 with ~/.docker/contexts/tls/\
             b71199ebd070b36beab7317920c2c2f1d777df8d05e5527d8458fda57cb17a7a/docker/ca.pem"
        );
        assert_eq!(resolve(&[("DOCKER_CONTEXT", "default")]), DEFAULT);
        assert_eq!(resolve(&[("DOCKER_CONFIG", "/nowhere")]), DEFAULT);
        assert_eq!(
            resolve(&[("DOCKER_HOST", ""), ("DOCKER_CONTEXT", "")]),
            "unix:///run/desktop.sock"
        );
        let host = ("DOCKER_HOST", "tcp://127.0.0.1");
        assert_eq!(
            resolve(&[host, ("DOCKER_CONTEXT", "remote")]),
            "tcp://127.0.0.1:2375"
        );
        assert_eq!(
            resolve(&[host, ("DOCKER_TLS_VERIFY", "")]),
            "tcp://127.0.0.1:2375"
        );
        assert_eq!(
            resolve(&[host, ("DOCKER_TLS_VERIFY", "1")]),
            "tcp://127.0.0.1:2376 with ~/.docker/ca.pem"
        );
        assert_eq!(
            resolve(&[
                host,
                ("DOCKER_TLS_VERIFY", "0"),
                ("DOCKER_CERT_PATH", "/certs")
            ]),
            "tcp://127.0.0.1:2376 with /certs/ca.pem"
        );
    }

    #[test]
    fn every_form_of_address() {
        for (host, address) in [
            ("unix:///var/run/docker.sock", "unix:///var/run/docker.sock"),
            ("npipe:////./pipe/docker", "npipe:////./pipe/docker"),
            ("ssh://me@build:2222", "ssh://me@build:2222"),
            ("http://[::1]", "tcp://[::1]:2375"),
            ("build:2375/", "tcp://build:2375"),
            ("https://build", "tcp://build:2376 with ~/.docker/ca.pem"),
        ] {
            assert_eq!(resolve(&[("DOCKER_HOST", host)]), address);
        }
        for host in [
            "/var/run/docker.sock",
            "unix://",
            "fd://3",
            "unix://x",
            "tcp:///",
        ] {
            let error = Address::parse(host, Path::new(""), false).unwrap_err();
            assert!(matches!(error, Error::NotAnAddress { .. }), "{host}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        insta::assert_snapshot!(resolve(&[("DOCKER_CONTEXT", "reomte")]), @"DOCKER_CONTEXT names the Docker context `reomte`, which does not exist; there are `default`, `desktop`, `lax`, `remote` (`docker context ls` lists the contexts, `docker context use` chooses one)");
        insta::assert_snapshot!(resolve(&[("DOCKER_CONTEXT", "lax")]), @"the Docker context `lax` asks for TLS without verification, which is as good as none (set DOCKER_TLS_VERIFY and DOCKER_CERT_PATH, or give the context the daemon's `ca`)");
        insta::assert_snapshot!(resolve(&[("DOCKER_HOST", "/var/run/docker.sock")]), @"`/var/run/docker.sock` is not the address of a Docker daemon (write it as `unix:///var/run/docker.sock`, `tcp://host:2376` or `ssh://user@host`)");
        insta::assert_snapshot!(resolve(&[("DOCKER_HOST", "tcp://a"), ("DOCKER_TLS", "1")]), @"DOCKER_TLS without DOCKER_TLS_VERIFY asks for TLS without verification, which is as good as none (set DOCKER_TLS_VERIFY and DOCKER_CERT_PATH, or give the context the daemon's `ca`)");
    }
}
