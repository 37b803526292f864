//! A context as a tar archive: the same bytes for the same names, modes, link targets and contents,
//! wherever and whenever it was written.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use tar::{Builder, EntryType, Header};
use tracing::trace;

use super::error::Error;
use super::ignore::Ignore;

/// The time of every file, 1980-01-02 in seconds since 1970: a ZIP archive, such as a wheel of
/// Python's, can hold nothing earlier than 1980.
const TIME: u64 = 315_619_200;

const PERMISSIONS: u32 = 0o7777;

/// Writes what a context holds, by name. Sockets, pipes and devices are left out.
pub(super) fn pack<W: Write>(
    folder: &Path,
    ignore: &Ignore,
    archive: &mut Builder<W>,
) -> Result<(), Error> {
    let mut packer = Packer {
        ignore,
        archive,
        owed: Vec::new(),
    };
    packer.folder(folder, "")
}

/// Writes a file that stands in no folder.
pub(super) fn append<W: Write>(
    archive: &mut Builder<W>,
    name: &str,
    content: &[u8],
) -> io::Result<()> {
    let mut header = header(EntryType::Regular, 0o644, content.len() as u64);
    archive.append_data(&mut header, name, content)
}

struct Packer<'a, W: Write> {
    ignore: &'a Ignore,
    archive: &'a mut Builder<W>,
    /// Folders that are left out, written only where something below them is not.
    owed: Vec<(String, u32)>,
}

impl<W: Write> Packer<'_, W> {
    fn folder(&mut self, folder: &Path, prefix: &str) -> Result<(), Error> {
        let unreadable = |source| Error::Read {
            path: folder.to_owned(),
            source,
        };
        let entries: io::Result<Vec<_>> = fs::read_dir(folder).map_err(unreadable)?.collect();
        let mut entries = entries.map_err(unreadable)?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let (path, file_name) = (entry.path(), entry.file_name());
            let name = format!("{prefix}{}", file_name.to_string_lossy());
            let excluded = self.ignore.excludes(&name);
            if excluded && !self.ignore.may_except_below(&name) {
                continue;
            }
            let metadata = fs::symlink_metadata(&path).map_err(|source| Error::Read {
                path: path.clone(),
                source,
            })?;
            if excluded && !metadata.is_dir() {
                continue;
            }
            if file_name.to_str().is_none() {
                return Err(Error::Name { path });
            }
            if !metadata.is_dir() {
                self.file(&path, &name, &metadata)?;
                continue;
            }
            let owed = self.owed.len();
            self.owed.push((name.clone(), mode(&metadata)));
            if !excluded {
                self.settle(&path)?;
            }
            self.folder(&path, &format!("{name}/"))?;
            self.owed.truncate(owed);
        }
        Ok(())
    }

    /// Writes the folders that are owed.
    fn settle(&mut self, path: &Path) -> Result<(), Error> {
        for (name, mode) in std::mem::take(&mut self.owed) {
            let mut header = header(EntryType::Directory, mode, 0);
            let name = format!("{name}/");
            let written = self.archive.append_data(&mut header, name, io::empty());
            written.map_err(unwritten(path))?;
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, name: &str, metadata: &Metadata) -> Result<(), Error> {
        let written = if metadata.is_symlink() {
            self.settle(path)?;
            let mut header = header(EntryType::Symlink, 0o777, 0);
            fs::read_link(path)
                .and_then(|target| self.archive.append_link(&mut header, name, target))
        } else if metadata.is_file() {
            self.settle(path)?;
            let mut header = header(EntryType::Regular, mode(metadata), metadata.len());
            File::open(path).and_then(|file| {
                let left = metadata.len();
                let content = Exactly { file, left };
                self.archive.append_data(&mut header, name, content)
            })
        } else {
            trace!(path = %path.display(), "left out of the context: neither file, folder nor link");
            Ok(())
        };
        written.map_err(unwritten(path))
    }
}

fn unwritten(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path: PathBuf = path.to_owned();
    move |source| Error::Read { path, source }
}

fn header(kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_mtime(TIME);
    header.set_uid(0);
    header.set_gid(0);
    header
}

#[cfg(unix)]
fn mode(metadata: &Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & PERMISSIONS
}

/// Windows keeps no modes; Docker makes everything executable there.
#[cfg(not(unix))]
fn mode(_: &Metadata) -> u32 {
    0o755 & PERMISSIONS
}

/// As many bytes of a file as its header says, or an error.
struct Exactly {
    file: File,
    left: u64,
}

impl Read for Exactly {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = (&self.file).take(self.left).read(buffer)?;
        self.left -= read as u64;
        if read == 0 && self.left > 0 && !buffer.is_empty() {
            let error = "it became shorter while it was read";
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, error));
        }
        Ok(read)
    }
}
