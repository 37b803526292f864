//! A file to be downloaded.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

use super::process::{Process, between};
use super::python::python;

/// A server that has one file, over HTTP.
pub(crate) struct FileServer {
    url: String,
    _process: Process,
    _folder: TempDir,
}

impl FileServer {
    pub(crate) fn of(name: &str, content: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let served = folder.path().join("served");
        fs::create_dir(&served).unwrap();
        fs::write(served.join(name), content).unwrap();
        let mut command = Command::new(python());
        command
            .args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1"])
            .arg("--directory")
            .arg(&served);
        let process = Process::start(&mut command, folder.path());
        let url = process.wait_for(|process| {
            let log = process.stdout();
            between(&log, "(", "/)").map(|root| format!("{root}/{name}"))
        });
        Self {
            url,
            _process: process,
            _folder: folder,
        }
    }

    /// Where the file is.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}
