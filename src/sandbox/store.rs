//! What the sandbox holds, and how it survives a restart.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use parking_lot::{Mutex, MutexGuard};
use serde::{Deserialize, Serialize};

use super::blobs::Blobs;
use super::pull_through::{Rule, Template};
use super::repository::Repository;
use super::scanning::RegistryScanning;

/// Repositories, rules, templates and blobs. In a folder, `repositories.json` holds all but the
/// blobs and is replaced as a whole at every change, and `blobs/sha256/` the blobs.
pub(super) struct Store {
    inventory: Mutex<Inventory>,
    file: Option<PathBuf>,
    pub(super) blobs: Blobs,
}

/// Everything that has a name.
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Inventory {
    pub(super) repositories: BTreeMap<String, Repository>,
    /// Pull-through cache rules by prefix.
    pub(super) rules: BTreeMap<String, Rule>,
    /// Repository creation templates by prefix.
    pub(super) templates: BTreeMap<String, Template>,
    /// How the registry scans its images.
    pub(super) scanning: RegistryScanning,
}

impl Store {
    /// An empty store in memory, or that of a folder.
    pub(super) fn open(folder: Option<&Path>) -> io::Result<Self> {
        let blobs = Blobs::open(folder)?;
        let file = folder.map(|folder| folder.join("repositories.json"));
        let saved = file.as_deref().map(fs::read).transpose();
        let inventory = match saved {
            Ok(Some(saved)) => serde_json::from_slice(&saved)?,
            Ok(None) => Inventory::default(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Inventory::default(),
            Err(error) => return Err(error),
        };
        Ok(Self {
            inventory: Mutex::new(inventory),
            file,
            blobs,
        })
    }

    pub(super) fn read(&self) -> MutexGuard<'_, Inventory> {
        self.inventory.lock()
    }

    /// Changes what has a name; when the change succeeds, it is saved.
    pub(super) fn change<T, E: From<io::Error>>(
        &self,
        change: impl FnOnce(&mut Inventory) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut inventory = self.read();
        let result = change(&mut inventory)?;
        if let Some(file) = &self.file {
            let new = file.with_extension("json.new");
            fs::write(
                &new,
                serde_json::to_vec(&*inventory).map_err(io::Error::from)?,
            )?;
            fs::rename(new, file)?;
        }
        Ok(result)
    }
}
