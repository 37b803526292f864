//! Giving images their tags. Those that are given at the same time are written together.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;

use super::folder::{INDEX, MARKER};
use super::index::Index;
use super::{Error, Layout};
use crate::image::{Manifest, Tag};

/// Tags that wait to be written.
#[derive(Debug, Default)]
pub(super) struct Naming {
    waiting: Mutex<Waiting>,
    /// Held by whoever writes, for all that wait.
    turn: Mutex<()>,
}

#[derive(Debug, Default)]
struct Waiting {
    last_number: u64,
    /// The oldest first, so that the newest counts.
    wishes: BTreeMap<u64, Wish>,
}

#[derive(Clone, Debug)]
struct Wish {
    tag: Tag,
    manifest: Manifest,
}

impl Layout {
    /// Gives a manifest a tag. Who comes while the index is being written waits, and is written
    /// together with all others that wait.
    pub(super) fn name(&self, tag: &Tag, manifest: &Manifest) -> Result<(), Error> {
        let number = self.naming.wish(tag, manifest);
        self.fulfil(number)
    }

    /// Writes what waits, unless somebody has written this wish already.
    pub(super) fn fulfil(&self, number: u64) -> Result<(), Error> {
        let _turn = self.naming.turn.lock();
        let wishes = self.naming.waiting.lock().wishes.clone();
        if !wishes.contains_key(&number) {
            return Ok(());
        }
        let written = self.write_names(&wishes);
        let mut waiting = self.naming.waiting.lock();
        match &written {
            Ok(()) => waiting.wishes.retain(|it, _| !wishes.contains_key(it)),
            // The others try for themselves, and learn why it fails.
            Err(_) => drop(waiting.wishes.remove(&number)),
        }
        written
    }

    /// Writes the index with these tags. Another process that writes it waits.
    fn write_names(&self, wishes: &BTreeMap<u64, Wish>) -> Result<(), Error> {
        let _lock = self.lock()?;
        let mut index = self.index()?.unwrap_or_else(|| Arc::new(Index::new()));
        self.kept.take();
        // Copied only where somebody reads it at this moment.
        let changed = Arc::make_mut(&mut index);
        for Wish { tag, manifest } in wishes.values() {
            changed.set(tag, manifest);
        }
        self.settle_blobs()?;
        let file = self.replace(&self.folder().join(INDEX), &changed.write())?;
        self.kept.remember(&file, index);
        settle(self.folder())
    }

    /// Keeps other processes from writing the index for as long as the file is open. NFS locks only
    /// what could be written to.
    pub(super) fn lock(&self) -> Result<File, Error> {
        let marker = self.folder().join(MARKER);
        let file = File::options().read(true).write(true).open(&marker);
        let file = file.map_err(Error::unwritable(&marker))?;
        file.lock().map_err(Error::unwritable(&marker))?;
        Ok(file)
    }

    /// Sees to it that no tag outlives a failing power supply without its blobs.
    fn settle_blobs(&self) -> Result<(), Error> {
        let blobs = self.all_blobs();
        for folder in fs::read_dir(&blobs).map_err(Error::unreadable(&blobs))? {
            settle(&folder.map_err(Error::unreadable(&blobs))?.path())?;
        }
        settle(&blobs)
    }
}

impl Naming {
    /// Puts a tag down to be written; returns the wish's number.
    pub(super) fn wish(&self, tag: &Tag, manifest: &Manifest) -> u64 {
        let wish = Wish {
            tag: tag.clone(),
            manifest: manifest.clone(),
        };
        let mut waiting = self.waiting.lock();
        waiting.last_number += 1;
        let number = waiting.last_number;
        waiting.wishes.insert(number, wish);
        number
    }
}

/// Makes sure that the names in a folder are on the disk.
fn settle(folder: &Path) -> Result<(), Error> {
    // Elsewhere a folder cannot be opened as a file.
    if cfg!(unix) {
        let settled = File::open(folder).and_then(|folder| folder.sync_all());
        settled.map_err(Error::unwritable(folder))?;
    }
    Ok(())
}
