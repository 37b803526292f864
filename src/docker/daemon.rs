//! The daemon itself: its version, where it keeps images, and how much room is left there.

use std::path::{Path, PathBuf};

use bollard::models::SystemInfo;

use super::address::Scheme;
use super::connection::Docker;
use super::error::{Error, Task};

/// The entry of `DriverStatus` by which containerd's store is known: one version of the engine can
/// have either.
const CONTAINERD_STORE: [&str; 2] = ["driver-type", "io.containerd.snapshotter.v1"];

/// What a daemon tells of itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DaemonDetails {
    /// Where it was found: `unix:///var/run/docker.sock`.
    pub address: String,
    /// The engine's version: `29.0.1`.
    pub version: String,
    /// The newest version of its API: `1.52`.
    pub api: String,
    /// The storage driver: `overlay2`.
    pub driver: String,
    /// Whether it keeps images in containerd, and not in its own store.
    pub has_containerd_store: bool,
    /// Whether BuildKit is in it.
    pub has_buildkit: bool,
    /// The folder where it keeps everything, on its own machine.
    pub root: PathBuf,
    /// How many bytes are free there; absent where that is another machine, or a virtual one.
    pub free: Option<u64>,
}

impl Docker {
    /// What the daemon tells of itself.
    pub async fn describe(&self) -> Result<DaemonDetails, Error> {
        let failed = |error| Error::of(Task::Describe, error);
        let server = self.client.version().await.map_err(failed)?;
        let info = self.client.info().await.map_err(failed)?;
        let engines = self.engines().await?;
        let api = server.api_version.unwrap_or_default();
        let root = PathBuf::from(info.docker_root_dir.as_deref().unwrap_or_default());
        Ok(DaemonDetails {
            address: self.address.to_string(),
            version: server.version.unwrap_or_default(),
            has_buildkit: engines.buildkit.is_some(),
            api,
            has_containerd_store: has_containerd_store(&info),
            free: self.is_here(&info).then(|| free(&root)).flatten(),
            driver: info.driver.unwrap_or_default(),
            root,
        })
    }

    /// Whether the daemon's files are this machine's: a socket may lead out of a container or into
    /// a virtual machine, each of which has a name of its own.
    fn is_here(&self, info: &SystemInfo) -> bool {
        self.address.scheme == Scheme::Unix && info.name.is_some() && info.name == host_name()
    }
}

fn has_containerd_store(info: &SystemInfo) -> bool {
    let mut entries = info.driver_status.iter().flatten();
    entries.any(|entry| entry.iter().map(String::as_str).eq(CONTAINERD_STORE))
}

#[cfg(unix)]
fn host_name() -> Option<String> {
    let system = rustix::system::uname();
    Some(system.nodename().to_str().ok()?.to_owned())
}

#[cfg(unix)]
fn free(folder: &Path) -> Option<u64> {
    let file_system = rustix::fs::statvfs(folder).ok()?;
    Some(file_system.f_bavail.saturating_mul(file_system.f_frsize))
}

#[cfg(not(unix))]
fn host_name() -> Option<String> {
    None
}

#[cfg(not(unix))]
fn free(_: &Path) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::fake::Fake;

    #[tokio::test]
    async fn what_a_daemon_tells() {
        for (api, status, has_containerd_store, has_buildkit) in [
            ("1.38", "Backing Filesystem", false, false),
            ("1.41", "driver-type", true, true),
        ] {
            let info = serde_json::json!({
                "Driver": "overlayfs",
                "DriverStatus": [[status, "io.containerd.snapshotter.v1"]],
                "DockerRootDir": "/var/lib/docker",
                "Name": host_name(),
            });
            let version = serde_json::json!({"Version": "20.10.24", "ApiVersion": api});
            let answers = [
                (format!("GET /v{api}/info"), info.to_string()),
                (format!("GET /v{api}/version"), version.to_string()),
            ];
            let answers = answers
                .each_ref()
                .map(|(line, body)| (&**line, 200, &**body));
            let fake = Fake::start(api, &answers).await;
            let details = fake.connect(&[]).await.describe().await.unwrap();
            let expected = DaemonDetails {
                address: details.address.clone(),
                version: "20.10.24".to_owned(),
                api: api.to_owned(),
                driver: "overlayfs".to_owned(),
                has_containerd_store,
                has_buildkit,
                root: PathBuf::from("/var/lib/docker"),
                // What is reached over TCP counts as another machine.
                free: None,
            };
            assert_eq!(details, expected);
        }
    }

    #[test]
    fn room_is_measured() {
        assert!(free(Path::new("/")).is_some());
        assert_eq!(free(Path::new("/nowhere")), None);
    }
}
