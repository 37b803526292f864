//! longshore's sandbox in this process: ECR and an upstream, with their requests and faults.

use std::path::PathBuf;

use longshore::sandbox::layout::{PlatformImage, write_image};
use longshore::sandbox::{Options, Sandbox, Upstream};
use serde_json::json;
use tempfile::TempDir;

use super::docker;
use super::image::LABEL;
use super::longshore::Longshore;

/// The sandbox, a folder of upstream layouts and a folder to run in. Tests that use it run on
/// several threads, because the sandbox answers while they wait.
pub(crate) struct StandIn {
    pub(crate) sandbox: Sandbox,
    name: String,
    folder: TempDir,
}

impl StandIn {
    /// An ECR without repositories and an upstream without images. The name must be the test's
    /// alone.
    pub(crate) async fn new(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let layouts = folder.path().join("layouts");
        std::fs::create_dir(&layouts).unwrap();
        let options = Options {
            upstream: Some(Upstream::new(&layouts)),
            ..Options::default()
        };
        Self {
            sandbox: Sandbox::start(options).await.unwrap(),
            name: name.to_owned(),
            folder,
        }
    }

    fn layouts(&self) -> PathBuf {
        self.folder.path().join("layouts")
    }

    /// Puts an image without programs on the upstream, for these architectures.
    pub(crate) fn offer(&self, repository: &str, tag: &str, architectures: &[&str]) -> String {
        let image = |architecture: &&str| {
            let platform = format!("linux/{architecture}").parse().unwrap();
            let layer = format!("{repository} {architecture}").into_bytes();
            let mut image = PlatformImage::new(platform, vec![archive("name", &layer)]);
            image.config = json!({"Labels": {LABEL: self.name}});
            image
        };
        let images: Vec<PlatformImage> = architectures.iter().map(image).collect();
        let digest = write_image(&self.layouts(), repository, tag, &images);
        digest.unwrap().to_string()
    }

    /// Writes `longshore.yaml`: where the upstream is, and what follows.
    pub(crate) fn write(&self, rest: &str) {
        let upstream = self.sandbox.upstream().unwrap();
        let text = format!(
            "version: 1\n\
             destination: {{namespace: {}}}\n\
             upstreams: {{docker.io: {{endpoint: 'http://{upstream}'}}}}\n\
             {rest}",
            self.name
        );
        std::fs::write(self.folder.path().join("longshore.yaml"), text).unwrap();
    }

    /// A call of longshore that finds the sandbox and the Docker daemon.
    pub(crate) fn longshore(&self, arguments: &[&str]) -> Longshore {
        let mut call = Longshore::new(self.folder.path(), arguments);
        for (name, value) in self.sandbox.environment() {
            call = call.env(name, value);
        }
        call.env("DOCKER_HOST", docker::host())
    }

    /// A text without what differs from run to run: the ports.
    pub(crate) fn stable(&self, text: &str) -> String {
        text.replace(&self.sandbox.registry(), "REGISTRY")
            .replace(&self.sandbox.upstream().unwrap(), "UPSTREAM")
    }
}

fn archive(name: &str, content: &[u8]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    archive.append_data(&mut header, name, content).unwrap();
    archive.into_inner().unwrap()
}
