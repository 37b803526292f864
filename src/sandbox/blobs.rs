//! Blobs and uploads, in memory or in a folder.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::io::AsyncWriteExt as _;

use super::content::Content;
use super::fresh;
use crate::image::{Digest, Hasher};

/// All blobs by digest. Which repository may see which is not known here.
pub(super) enum Blobs {
    Memory(Mutex<HashMap<Digest, Bytes>>),
    Folder(PathBuf),
}

/// A blob on its way in.
pub(super) struct Upload {
    hasher: Hasher,
    bytes: Sink,
    /// The sizes of the parts so far.
    pub(super) parts: Vec<u64>,
}

enum Sink {
    Memory(Vec<u8>),
    File(PathBuf, tokio::fs::File),
}

impl Blobs {
    /// No blobs in memory, or those of a folder.
    pub(super) fn open(folder: Option<&Path>) -> io::Result<Self> {
        let Some(folder) = folder else {
            return Ok(Self::Memory(Mutex::default()));
        };
        fs::create_dir_all(folder.join("blobs/sha256"))?;
        match fs::remove_dir_all(folder.join("uploads")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir(folder.join("uploads"))?,
        }
        Ok(Self::Folder(folder.to_owned()))
    }

    pub(super) fn get(&self, digest: &Digest) -> Option<Content> {
        match self {
            Self::Memory(blobs) => {
                let blobs = blobs.lock();
                blobs.get(digest).cloned().map(Content::Memory)
            }
            Self::Folder(folder) => Some(Content::File(path(folder, digest))),
        }
    }

    pub(super) async fn begin(&self) -> io::Result<Upload> {
        let bytes = match self {
            Self::Memory(_) => Sink::Memory(Vec::new()),
            Self::Folder(folder) => {
                let path = folder.join("uploads").join(fresh::identifier());
                let file = tokio::fs::File::create_new(&path).await?;
                Sink::File(path, file)
            }
        };
        Ok(Upload {
            hasher: Hasher::sha256(),
            bytes,
            parts: Vec::new(),
        })
    }

    /// Ends an upload: keeps its bytes if they have this digest, and says what they have.
    pub(super) async fn finish(&self, upload: Upload, expected: &Digest) -> io::Result<Digest> {
        let digest = upload.hasher.finish();
        match upload.bytes {
            Sink::File(path, mut file) => {
                file.flush().await?;
                match self {
                    Self::Folder(folder) if digest == *expected => {
                        tokio::fs::rename(path, self::path(folder, &digest)).await?;
                    }
                    _ => tokio::fs::remove_file(path).await?,
                }
            }
            Sink::Memory(bytes) => {
                if let Self::Memory(blobs) = self
                    && digest == *expected
                {
                    let mut blobs = blobs.lock();
                    blobs.insert(digest.clone(), bytes.into());
                }
            }
        }
        Ok(digest)
    }
}

impl Upload {
    /// How many bytes have arrived.
    pub(super) fn size(&self) -> u64 {
        self.parts.iter().sum()
    }

    /// Adds the next bytes of the part under way.
    pub(super) async fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        match &mut self.bytes {
            Sink::Memory(all) => {
                all.extend_from_slice(bytes);
                Ok(())
            }
            Sink::File(_, file) => file.write_all(bytes).await,
        }
    }
}

fn path(folder: &Path, digest: &Digest) -> PathBuf {
    folder
        .join("blobs")
        .join(digest.algorithm())
        .join(digest.hex())
}
