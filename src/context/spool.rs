//! A context as it was at one moment.

use std::io::{self, BufWriter, Cursor, IntoInnerError, Read, Seek, SeekFrom, Write as _};
use std::path::Path;

use parking_lot::Mutex;
use tar::{Archive, Builder, EntryType};

use super::archive::append;
use super::error::Error;
use super::folder::Context;
use super::shipment::Tee;
use crate::image::Digest;

/// What an archive is read from.
trait Source: Read + Seek + Send {}

impl<T: Read + Seek + Send> Source for T {}

/// A context as it was at one moment, its archive kept in a temporary file, so that single files
/// can be asked for while the folder changes.
pub struct Spool {
    archive: Mutex<Box<dyn Source>>,
    entries: Vec<SpooledEntry>,
}

/// One thing in a spool.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SpooledEntry {
    /// Where it is in the context, with `/`.
    pub path: String,
    /// The permissions, as POSIX numbers them.
    pub mode: u32,
    /// When it was changed, in seconds since 1970.
    pub modified: u64,
    /// What it is.
    pub kind: SpooledKind,
}

/// What a thing in a spool is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SpooledKind {
    /// A folder.
    Folder,
    /// A symbolic link, and what it points to.
    Link(String),
    /// A file.
    File {
        /// Where its content begins in the archive.
        start: u64,
        /// How long its content is, in bytes.
        size: u64,
    },
}

impl Spool {
    /// A spool of nothing but this file.
    pub fn of_file(name: &str, content: &str) -> Self {
        let mut archive = Builder::new(Vec::new());
        append(&mut archive, name, content.as_bytes())
            .and_then(|()| archive.into_inner())
            .and_then(|archive| Self::index(Cursor::new(archive)))
            .expect("memory takes every write")
    }

    /// A spool of nothing.
    pub fn empty() -> Self {
        Self {
            archive: Mutex::new(Box::new(io::empty())),
            entries: Vec::new(),
        }
    }

    /// A spool of a context that must have this digest.
    pub(super) fn of(context: &Context, digest: &Digest) -> Result<Self, Error> {
        let failed = |source| Error::Pack {
            folder: context.folder().to_owned(),
            source,
        };
        let file = tempfile::tempfile().map_err(failed)?;
        let mut archive = Builder::new(Tee::new(BufWriter::new(file)));
        if context.pack(&mut archive)? != *digest {
            return Err(Error::Changed {
                folder: context.folder().to_owned(),
            });
        }
        let file = archive
            .into_inner()
            .and_then(|mut tee| {
                tee.flush()?;
                let file = tee.into_target().into_inner();
                file.map_err(IntoInnerError::into_error)
            })
            .and_then(Self::index);
        file.map_err(failed)
    }

    fn index(mut source: impl Source + 'static) -> io::Result<Self> {
        source.seek(SeekFrom::Start(0))?;
        let mut archive = Archive::new(source);
        let mut entries = Vec::new();
        for entry in archive.entries_with_seek()? {
            let entry = entry?;
            let text = |path: &Path| {
                let path = path
                    .to_str()
                    .map(|path| path.trim_end_matches('/').to_owned());
                path.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
            };
            let kind = match entry.header().entry_type() {
                EntryType::Directory => SpooledKind::Folder,
                EntryType::Symlink => {
                    let target = entry.link_name()?.unwrap_or_default();
                    SpooledKind::Link(text(&target)?)
                }
                _ => SpooledKind::File {
                    start: entry.raw_file_position(),
                    size: entry.size(),
                },
            };
            entries.push(SpooledEntry {
                path: text(&entry.path()?)?,
                mode: entry.header().mode()?,
                modified: entry.header().mtime()?,
                kind,
            });
        }
        Ok(Self {
            archive: Mutex::new(Box::new(archive.into_inner())),
            entries,
        })
    }

    /// All that is in it: of each folder first itself, then by name what it holds.
    pub fn entries(&self) -> &[SpooledEntry] {
        &self.entries
    }

    /// Up to `length` bytes of the archive from `start` on.
    pub fn read(&self, start: u64, length: u64) -> io::Result<Vec<u8>> {
        let mut archive = self.archive.lock();
        archive.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        let read = (&mut *archive).take(length).read_to_end(&mut bytes)? as u64;
        if read < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(bytes)
    }
}
