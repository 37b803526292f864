//! A new layer, written for a registry.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use tempfile::TempPath;
use tokio_util::io::ReaderStream;

use super::clamp::clamp;
use super::compression::{Compression, Encoder, decompress};
use crate::image::{Digest, Hasher};

/// How layers are written.
#[derive(Clone, Copy, Debug)]
pub struct LayerSettings {
    /// The latest time that a file of a layer may carry, in seconds since 1970. Where there is none
    /// layers keep their content byte for byte, and those that the daemon keeps compressed stay so.
    pub latest: Option<u64>,
    /// How they are compressed.
    pub compression: Compression,
}

/// A layer as a compressed file, which goes when the last clone does.
#[derive(Clone, Debug)]
pub struct Layer {
    /// The digest of what is in it.
    pub diff_id: Digest,
    /// The digest of the file.
    pub digest: Digest,
    /// The size of the file in bytes.
    pub size: u64,
    /// The media type.
    pub media_type: &'static str,
    file: Arc<TempPath>,
}

/// Something on its way into a file without a name.
pub(super) struct Spool(Hashing<File>);

/// A layer as the daemon keeps it.
pub(super) struct Spooled {
    /// The digest of what is in it, uncompressed.
    pub(super) diff_id: Digest,
    /// How the daemon keeps it compressed.
    compression: Option<Compression>,
    file: File,
}

impl Layer {
    /// The file's bytes as they come.
    pub async fn read(&self) -> io::Result<impl Stream<Item = io::Result<Bytes>> + use<>> {
        let file = tokio::fs::File::open(&**self.file).await?;
        // The file must outlive whoever reads it.
        let keep = Arc::clone(&self.file);
        Ok(ReaderStream::with_capacity(file, 64 * 1024).inspect_ok(move |_| _ = &keep))
    }

    /// Moves the file to a place of the same file system, where it stays.
    pub fn settle(self, place: &Path) -> io::Result<()> {
        match Arc::try_unwrap(self.file) {
            Ok(file) => file.persist(place).map_err(|error| error.error),
            Err(shared) => std::fs::copy(&**shared, place).map(drop),
        }
    }
}

impl Spool {
    /// An empty one.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self(Hashing::new(tempfile::tempfile()?)))
    }

    /// How many bytes were written.
    pub(super) fn size(&self) -> u64 {
        self.0.size
    }

    /// What was written, from its beginning, and its digest.
    pub(super) fn finish(self) -> io::Result<(Digest, File)> {
        let (digest, _, mut file) = self.0.finish();
        file.rewind()?;
        Ok((digest, file))
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Spooled {
    /// Keeps a layer, compressed or not.
    pub(super) fn keep(mut layer: impl Read) -> io::Result<Self> {
        let mut spool = Spool::new()?;
        io::copy(&mut layer, &mut spool)?;
        let (digest, file) = spool.finish()?;
        Self::of(digest, file)
    }

    /// A layer in a file that is at its beginning and has this digest.
    pub(super) fn of(digest: Digest, mut file: File) -> io::Result<Self> {
        let mut beginning = Vec::new();
        (&file).take(4).read_to_end(&mut beginning)?;
        file.rewind()?;
        let compression = Compression::told_by(&beginning);
        let diff_id = if compression.is_none() {
            digest
        } else {
            let mut content = Hashing::new(io::sink());
            io::copy(&mut decompress(&file)?, &mut content)?;
            content.finish().0
        };
        Ok(Self {
            diff_id,
            compression,
            file,
        })
    }

    /// Writes it for a registry.
    pub(super) fn write(&self, settings: LayerSettings) -> io::Result<Layer> {
        let mut spooled = &self.file;
        spooled.rewind()?;
        let (file, path) = tempfile::Builder::new()
            .prefix("longshore-")
            .tempfile()?
            .into_parts();
        let mut written = Hashing::new(file);
        let (diff_id, compression) = match (settings.latest, self.compression) {
            (None, Some(compression)) => {
                io::copy(&mut spooled, &mut written)?;
                (self.diff_id.clone(), compression)
            }
            (latest, _) => {
                let compressed = Encoder::new(settings.compression, written)?;
                let mut content = Hashing::new(compressed);
                match latest {
                    Some(latest) => clamp(decompress(spooled)?, latest, &mut content)?,
                    None => drop(io::copy(&mut spooled, &mut content)?),
                }
                let (diff_id, _, compressed) = content.finish();
                written = compressed.finish()?;
                (diff_id, settings.compression)
            }
        };
        let (digest, size, mut file) = written.finish();
        file.flush()?;
        Ok(Layer {
            diff_id,
            digest,
            size,
            media_type: compression.media_type(),
            file: Arc::new(path),
        })
    }
}

/// Counts and hashes what is written through it.
struct Hashing<W> {
    hasher: Hasher,
    size: u64,
    target: W,
}

impl<W> Hashing<W> {
    fn new(target: W) -> Self {
        Self {
            hasher: Hasher::sha256(),
            size: 0,
            target,
        }
    }

    fn finish(self) -> (Digest, u64, W) {
        (self.hasher.finish(), self.size, self.target)
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.target.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.target.flush()
    }
}
