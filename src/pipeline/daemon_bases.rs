//! The images that builds start from, in the daemon.

use std::mem;

use parking_lot::{Mutex, MutexGuard};

use crate::docker::{self, Docker};
use crate::image::{Platform, Reference};
use crate::once::Once;
use crate::registry::Login;

use super::cleanup::Cleanup;

/// Brings each base into the daemon once, however many builds need it, and takes those away again
/// that were not there before; where the run is interrupted, by a task of its own.
pub(super) struct DaemonBases {
    docker: Docker,
    pulls: Once<Reference>,
    brought: Mutex<Vec<String>>,
    cleanup: Cleanup,
}

impl DaemonBases {
    pub(super) fn new(docker: &Docker, cleanup: &Cleanup) -> Self {
        Self {
            docker: docker.clone(),
            pulls: Once::default(),
            brought: Mutex::default(),
            cleanup: cleanup.clone(),
        }
    }

    /// Pulls a platform's image, unless it is there.
    pub(super) async fn bring(
        &self,
        base: &Reference,
        platform: &Platform,
        login: Option<&Login>,
        output: impl Fn(&str) + Send + Sync,
    ) -> Result<(), docker::Error> {
        // The daemon knows what is pulled by digest by no tag, or by both: that differs with its store.
        let by_digest = Reference {
            tag: None,
            ..base.clone()
        };
        let pull = async || {
            if self.docker.inspect(&by_digest.to_string()).await?.is_some() {
                return Ok(());
            }
            self.brought()
                .extend([by_digest.to_string(), base.to_string()]);
            let mut output = |text: &str| output(text);
            let pull = self.docker.pull(&by_digest, platform, login, &mut output);
            pull.await
        };
        self.pulls.run(by_digest.clone(), pull).await
    }

    /// Takes note of another image that a build is about to pull, unless it is there.
    pub(super) async fn expect(&self, image: &Reference) -> Result<(), docker::Error> {
        let note = async || {
            if self.docker.inspect(&image.to_string()).await?.is_none() {
                self.brought().push(image.to_string());
            }
            Ok(())
        };
        self.pulls.run(image.clone(), note).await
    }

    /// Removes what was brought. What somebody else uses by now stays.
    pub(super) async fn remove(&self) {
        let brought = mem::take(&mut *self.brought());
        remove(self.docker.clone(), brought).await;
    }

    /// Leaves what was brought where it is.
    pub(super) fn keep(&self) {
        self.brought().clear();
    }

    fn brought(&self) -> MutexGuard<'_, Vec<String>> {
        self.brought.lock()
    }
}

impl Drop for DaemonBases {
    fn drop(&mut self) {
        let brought = mem::take(&mut *self.brought());
        if !brought.is_empty() {
            self.cleanup.spawn(remove(self.docker.clone(), brought));
        }
    }
}

async fn remove(docker: Docker, names: Vec<String>) {
    for name in names {
        if let Err(error) = docker.remove(&name).await {
            tracing::debug!(name, %error, "a base stays in the Docker daemon");
        }
    }
}
