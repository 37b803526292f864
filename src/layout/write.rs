//! Writing a layout: every file appears whole, also where the power fails, and the one that names
//! the images last.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use tempfile::{NamedTempFile, TempPath};
use tokio::io::AsyncWriteExt as _;

use super::folder::MARKER;
use super::{Error, Layout};
use crate::image::{Digest, Manifest, Tag};

/// What the names of files begin with that are not finished.
const UNFINISHED: &str = ".longshore-";

impl Layout {
    /// Writes a blob of so many bytes; whoever sends them has checked their digest. The layout is
    /// made where it does not exist. A source's error ends it and is returned as it is.
    pub async fn put_blob<S, E>(&self, digest: &Digest, size: u64, source: S) -> Result<(), E>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: From<Error>,
    {
        let target = self.path(digest);
        let failed = |error| E::from(Error::unwritable(&target)(error));
        let blobs = self.blobs(digest);
        let begin = self.blocking(move |layout| {
            layout.make()?;
            fs::create_dir_all(&blobs).map_err(Error::unwritable(&blobs))?;
            layout.begin()
        });
        let (file, unfinished) = begin.await?.into_parts();
        let mut file = tokio::fs::File::from_std(file);
        let mut source = std::pin::pin!(source);
        let mut written = 0;
        while let Some(bytes) = source.next().await {
            let bytes = bytes?;
            written += bytes.len() as u64;
            file.write_all(&bytes).await.map_err(failed)?;
        }
        file.flush().await.map_err(failed)?;
        if written != size {
            return Err(E::from(Error::WrongLength {
                file: target,
                expected: size,
                actual: written,
            }));
        }
        // A name may reach the disk before the bytes do.
        file.sync_data().await.map_err(failed)?;
        Ok(self.finish(unfinished, digest.clone()).await?)
    }

    /// Takes a blob that is a file already; `settle` moves it to its place. The layout is made where
    /// it does not exist.
    pub async fn take_blob(
        &self,
        digest: &Digest,
        settle: impl FnOnce(&Path) -> io::Result<()> + Send + 'static,
    ) -> Result<(), Error> {
        let digest = digest.clone();
        self.blocking(move |layout| {
            layout.make()?;
            let blobs = layout.blobs(&digest);
            fs::create_dir_all(&blobs).map_err(Error::unwritable(&blobs))?;
            let target = layout.path(&digest);
            settle(&target).map_err(Error::unwritable(&target))
        })
        .await
    }

    async fn finish(&self, unfinished: TempPath, digest: Digest) -> Result<(), Error> {
        self.blocking(move |layout| {
            let target = layout.path(&digest);
            let finished = unfinished.persist(&target);
            finished.map_err(|error| Error::unwritable(&target)(error.error))
        })
        .await
    }

    /// Writes a manifest under its digest and, where one is given, under a tag. The layout is made
    /// where it does not exist.
    pub async fn put_manifest(
        &self,
        digest: &Digest,
        manifest: &Manifest,
        tag: Option<&Tag>,
    ) -> Result<(), Error> {
        let (digest, manifest, tag) = (digest.clone(), manifest.clone(), tag.cloned());
        self.blocking(move |layout| {
            layout.make()?;
            let blobs = layout.blobs(&digest);
            fs::create_dir_all(&blobs).map_err(Error::unwritable(&blobs))?;
            drop(layout.replace(&layout.path(&digest), manifest.bytes())?);
            match tag {
                Some(tag) => layout.name(&tag, &manifest),
                None => Ok(()),
            }
        })
        .await
    }

    /// Makes the folder a layout where it is none.
    fn make(&self) -> Result<(), Error> {
        if self.is_there()? {
            return Ok(());
        }
        let folder = self.folder();
        fs::create_dir_all(folder).map_err(Error::unwritable(folder))?;
        let entries = fs::read_dir(folder).map_err(Error::unreadable(folder))?;
        for entry in entries {
            let name = entry.map_err(Error::unreadable(folder))?.file_name();
            let is_ours = name == MARKER || name.to_string_lossy().starts_with(UNFINISHED);
            // Somebody may make it at the same time.
            if !is_ours && !self.is_there()? {
                let folder = folder.to_owned();
                return Err(Error::Occupied { folder });
            }
        }
        let marker = folder.join(MARKER);
        let mut file = self.begin()?;
        let written = file.write_all(&Self::marker());
        let written = written.and_then(|()| file.as_file().sync_data());
        written.map_err(Error::unwritable(&marker))?;
        // The one that is there is locked by those who write the index.
        match file.persist_noclobber(&marker) {
            Err(error) if error.error.kind() != ErrorKind::AlreadyExists => {
                Err(Error::unwritable(marker)(error.error))
            }
            _ => Ok(()),
        }
    }

    /// Replaces a small file, and returns the new one.
    pub(super) fn replace(&self, target: &Path, bytes: &[u8]) -> Result<File, Error> {
        let mut file = self.begin()?;
        let written = file.write_all(bytes);
        let written = written.and_then(|()| file.as_file().sync_data());
        written.map_err(Error::unwritable(target))?;
        let replaced = file.persist(target);
        replaced.map_err(|error| Error::unwritable(target)(error.error))
    }

    /// A file that is not finished. It stands beside `blobs`, where only whole ones are.
    fn begin(&self) -> Result<NamedTempFile, Error> {
        let mut options = tempfile::Builder::new();
        options.prefix(UNFINISHED);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            // As for any other file; the process's mask takes away what it should.
            options.permissions(fs::Permissions::from_mode(0o666));
        }
        let begun = options.tempfile_in(self.folder());
        begun.map_err(Error::unwritable(self.folder()))
    }
}
