//! A new layer, written for a registry.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use tempfile::TempPath;
use tokio_util::io::ReaderStream;

use super::clamp::clamp;
use super::compression::{Compression, Encoder, decompress};
use crate::image::{Digest, Hasher};

/// How new layers are written.
#[derive(Clone, Copy, Debug)]
pub struct LayerSettings {
    /// The latest time that a file of a layer may carry, in seconds since 1970.
    pub latest: u64,
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
        if Compression::told_by(&beginning).is_none() {
            let diff_id = digest;
            return Ok(Self { diff_id, file });
        }
        let mut content = Hashing::new(io::sink());
        io::copy(&mut decompress(&file)?, &mut content)?;
        let (diff_id, ..) = content.finish();
        Ok(Self { diff_id, file })
    }

    /// Writes it for a registry.
    pub(super) fn write(&self, settings: LayerSettings) -> io::Result<Layer> {
        let mut spooled = &self.file;
        spooled.rewind()?;
        let (file, path) = tempfile::Builder::new()
            .prefix("longshore-")
            .tempfile()?
            .into_parts();
        let compressed = Encoder::new(settings.compression, Hashing::new(file))?;
        let mut content = Hashing::new(compressed);
        clamp(decompress(spooled)?, settings.latest, &mut content)?;
        let (diff_id, _, compressed) = content.finish();
        let (digest, size, mut file) = compressed.finish()?.finish();
        file.flush()?;
        Ok(Layer {
            diff_id,
            digest,
            size,
            media_type: settings.compression.media_type(),
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
