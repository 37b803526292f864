//! The index as it was last read or written, so that it is parsed once and not for each tag.

use std::fs::{File, Metadata};
use std::io::{ErrorKind, Read as _};
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::{Mutex, MutexGuard};

use super::folder::INDEX;
use super::index::Index;
use super::{Error, Layout};

/// The last known index of a layout.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<Option<Known>>);

#[derive(Debug)]
struct Known {
    stamp: Stamp,
    index: Arc<Index>,
}

/// What tells one state of a file from another. Whoever writes the index puts another file in its
/// place, so that two states of the same moment and length still differ in their inode.
#[derive(Debug, Eq, PartialEq)]
struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
    inode: u64,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(metadata);
        #[cfg(not(unix))]
        let inode = 0;
        Self {
            length: metadata.len(),
            modified: metadata.modified().ok(),
            inode,
        }
    }
}

impl Kept {
    fn known(&self) -> MutexGuard<'_, Option<Known>> {
        self.0.lock()
    }

    /// Takes the index away, to be changed: what became of it is not known until it is written.
    pub(super) fn take(&self) {
        *self.known() = None;
    }

    /// Remembers what was written into this file.
    pub(super) fn remember(&self, file: &File, index: Arc<Index>) {
        let stamp = file.metadata().ok().map(|metadata| Stamp::of(&metadata));
        *self.known() = stamp.map(|stamp| Known { stamp, index });
    }
}

impl Layout {
    /// The index; `None` where there is none.
    pub(super) fn index(&self) -> Result<Option<Arc<Index>>, Error> {
        if !self.is_there()? {
            return Ok(None);
        }
        let path = self.folder().join(INDEX);
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::unreadable(path)(error)),
        };
        let metadata = file.metadata().map_err(Error::unreadable(&path))?;
        let stamp = Stamp::of(&metadata);
        let mut known = self.kept.known();
        if let Some(known) = &*known
            && known.stamp == stamp
        {
            return Ok(Some(Arc::clone(&known.index)));
        }
        let mut bytes = Vec::new();
        let read = file.read_to_end(&mut bytes);
        read.map_err(Error::unreadable(&path))?;
        let index = Index::parse(&bytes);
        let index = index.map_err(|source| Error::Malformed { file: path, source })?;
        let index = Arc::new(index);
        *known = Some(Known {
            stamp,
            index: Arc::clone(&index),
        });
        Ok(Some(index))
    }
}
