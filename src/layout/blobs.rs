//! Reading blobs of any size: verified, never held in memory.

use std::path::PathBuf;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{BoxStream, try_unfold};
use tokio::fs::File;
use tokio_util::io::ReaderStream;

use super::folder::is_absence;
use super::{Error, Layout};
use crate::image::{Digest, Hasher};

/// How many bytes are read at once.
const CHUNK: usize = 256 * 1024;

/// A blob's bytes as they come. The last ones are given out only when all are known to be right, so
/// that whoever passes them on never passes on a whole blob that is wrong.
pub type BlobStream = BoxStream<'static, Result<Bytes, Error>>;

impl Layout {
    /// Begins to read a blob of so many bytes.
    pub async fn open_blob(&self, digest: &Digest, size: u64) -> Result<BlobStream, Error> {
        self.check_size(digest, size).await?;
        let path = self.path(digest);
        let file = File::open(&path).await.map_err(Error::unreadable(&path))?;
        let reading = Reading {
            stream: ReaderStream::with_capacity(file, CHUNK),
            hasher: Some(digest.hasher()),
            left: size,
            path,
            digest: digest.clone(),
        };
        Ok(Box::pin(try_unfold(reading, Reading::next)))
    }

    /// Whether there is a blob of this size. A file that was cut short is none.
    pub async fn has_blob(&self, digest: &Digest, size: u64) -> Result<bool, Error> {
        match self.size_of(digest).await {
            Ok(found) => Ok(found == size),
            Err(Error::NoBlob { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn check_size(&self, digest: &Digest, size: u64) -> Result<(), Error> {
        let found = self.size_of(digest).await?;
        if found == size {
            return Ok(());
        }
        Err(Error::Mismatch {
            file: self.path(digest),
            expected: format!("{size} bytes"),
            actual: format!("{found} bytes"),
        })
    }

    pub(super) async fn size_of(&self, digest: &Digest) -> Result<u64, Error> {
        let file = self.path(digest);
        match tokio::fs::metadata(&file).await {
            Ok(metadata) => Ok(metadata.len()),
            Err(error) if is_absence(error.kind()) => Err(Error::NoBlob {
                folder: self.folder().to_owned(),
                digest: digest.clone(),
            }),
            Err(error) => Err(Error::unreadable(file)(error)),
        }
    }
}

/// A blob that is being read.
struct Reading {
    stream: ReaderStream<File>,
    /// `None` once the digest was found right.
    hasher: Option<Hasher>,
    /// How many bytes are still to come.
    left: u64,
    path: PathBuf,
    digest: Digest,
}

impl Reading {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, Error> {
        let bytes = match self.stream.next().await {
            Some(bytes) => bytes.map_err(Error::unreadable(&self.path))?,
            None => Bytes::new(),
        };
        let length = bytes.len() as u64;
        if length > self.left || (length == 0 && self.left > 0) {
            // It changes under our hands.
            return Err(Error::Mismatch {
                expected: format!("{} more bytes", self.left),
                actual: format!("{length}"),
                file: self.path,
            });
        }
        self.left -= length;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&bytes);
        }
        if self.left == 0
            && let Some(hasher) = self.hasher.take()
        {
            hasher
                .verify(&self.digest)
                .map_err(|actual| Error::Mismatch {
                    file: self.path.clone(),
                    expected: self.digest.to_string(),
                    actual: actual.to_string(),
                })?;
        }
        Ok((length > 0).then_some((bytes, self)))
    }
}
