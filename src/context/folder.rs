//! A build context.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use tar::Builder;
use tokio::sync::OnceCell;
use tracing::debug;

use super::archive::pack;
use super::error::Error;
use super::ignore::{BadLine, Ignore};
use super::shipment::{Shipment, Tee};
use crate::image::Digest;

pub(super) const IGNORE_FILE: &str = ".dockerignore";

/// The folder that `COPY` and `ADD` lines take files from. Clones share what was found out.
#[derive(Clone, Debug)]
pub struct Context(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Without symbolic links.
    folder: PathBuf,
    /// The text of its `.dockerignore`; empty where there is none.
    ignore_text: String,
    ignore: Ignore,
    digest: OnceCell<Digest>,
}

impl Context {
    /// Opens the folder at a path that starts at `within`. A path that goes up with `..`, or is
    /// absolute, says where it leads; any other must not leave `within` by a symbolic link.
    pub fn open(within: &Path, path: &Path) -> Result<Self, Error> {
        let named = within.join(path);
        let folder = match named.canonicalize() {
            Ok(folder) => folder,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Error::Missing { folder: named });
            }
            Err(source) => {
                let path = named;
                return Err(Error::Read { path, source });
            }
        };
        if !folder.is_dir() {
            return Err(Error::NoFolder { folder: named });
        }
        let stays = path
            .components()
            .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        // The folder of a file in the working directory is empty.
        let within = [within, Path::new(".")]
            .into_iter()
            .find_map(|folder| folder.canonicalize().ok());
        if let Some(within) = within
            && stays
            && !folder.starts_with(&within)
        {
            return Err(Error::Escapes {
                folder: named,
                target: folder,
                within,
            });
        }
        let file = folder.join(IGNORE_FILE);
        let ignore_text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(source) => return Err(Error::Read { path: file, source }),
        };
        let ignore = Ignore::parse(&ignore_text);
        let ignore = ignore.map_err(|BadLine { line, text }| Error::Pattern {
            file: named.join(IGNORE_FILE),
            line,
            pattern: text,
        })?;
        let digest = OnceCell::new();
        Ok(Self(Arc::new(Inner {
            folder,
            ignore_text,
            ignore,
            digest,
        })))
    }

    /// The folder, without symbolic links.
    pub(super) fn folder(&self) -> &Path {
        &self.0.folder
    }

    /// The digest of all that is in it and not left out by `.dockerignore`: names, modes, targets
    /// of links and contents, and neither times nor owners nor where the folder is. It is computed
    /// once; what is sent later must be the same.
    pub async fn digest(&self) -> Result<&Digest, Error> {
        let compute = async || {
            let context = self.clone();
            let digest = tokio::task::spawn_blocking(move || context.compute());
            digest.await.unwrap_or_else(|error| {
                Err(Error::Pack {
                    folder: self.0.folder.clone(),
                    source: io::Error::other(error),
                })
            })
        };
        self.0.digest.get_or_try_init(compute).await
    }

    fn compute(&self) -> Result<Digest, Error> {
        let digest = self.pack(&mut Builder::new(Tee::new(io::sink())))?;
        debug!(folder = %self.0.folder.display(), %digest, "read the build context");
        Ok(digest)
    }

    /// Writes it into an archive that stays open, and gives the digest of what was written.
    pub(super) fn pack<W: io::Write>(
        &self,
        archive: &mut Builder<Tee<W>>,
    ) -> Result<Digest, Error> {
        pack(&self.0.folder, &self.0.ignore, archive)?;
        Ok(archive.get_ref().digest())
    }

    /// What the daemon needs: the context and a Dockerfile, which none of the lines can copy.
    pub async fn ship(&self, dockerfile: &str) -> Result<Shipment, Error> {
        let digest = self.digest().await?.clone();
        Ok(Shipment::start(self.clone(), digest, dockerfile))
    }

    /// The `.dockerignore` to send. The daemon removes from a context what is named `.dockerignore`
    /// or is the Dockerfile, where these rules leave it out. Docker's own client adds such a line
    /// for a Dockerfile from elsewhere.
    pub(super) fn ignore_file(&self, dockerfile: &str) -> String {
        let text = &self.0.ignore_text;
        if text.is_empty() || self.0.ignore.excludes(IGNORE_FILE) {
            format!("{IGNORE_FILE}\n{dockerfile}\n")
        } else {
            format!("{text}\n{dockerfile}\n")
        }
    }
}
