//! The folder of a layout, and what says that it is one.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::Error;
use super::kept::Kept;
use super::naming::Naming;
use crate::image::Digest;

/// The file that says which version of the layout it is.
pub(super) const MARKER: &str = "oci-layout";

/// The file that names the images.
pub(super) const INDEX: &str = "index.json";

/// The only version there is.
const VERSION: &str = "1.0.0";

/// An OCI image layout. Nothing is known of it before it is asked for, and what another process
/// adds is seen. A clone shares what is known.
#[derive(Clone, Debug)]
pub struct Layout {
    folder: PathBuf,
    pub(super) kept: Arc<Kept>,
    pub(super) naming: Arc<Naming>,
}

/// The layouts of a run.
#[derive(Debug, Default)]
pub struct Layouts(Mutex<HashMap<PathBuf, Layout>>);

impl Layouts {
    /// The layout in this folder, which need not exist.
    pub fn at(&self, folder: &Path) -> Layout {
        let mut layouts = self.0.lock();
        let layout = layouts.entry(folder.to_owned());
        layout.or_insert_with(|| Layout::at(folder)).clone()
    }
}

/// What [`MARKER`] holds.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Marker {
    image_layout_version: String,
}

impl Layout {
    pub(super) fn at(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            kept: Arc::default(),
            naming: Arc::default(),
        }
    }

    /// The folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file that holds a blob or manifest.
    pub(super) fn path(&self, digest: &Digest) -> PathBuf {
        self.blobs(digest).join(digest.hex())
    }

    /// The folder that holds all that is named by a digest of this algorithm.
    pub(super) fn blobs(&self, digest: &Digest) -> PathBuf {
        self.all_blobs().join(digest.algorithm())
    }

    /// The folder of the folders of blobs, one for each algorithm.
    pub(super) fn all_blobs(&self) -> PathBuf {
        self.folder.join("blobs")
    }

    /// Whether this is a layout, and one that can be read.
    pub(super) fn is_there(&self) -> Result<bool, Error> {
        let file = self.folder.join(MARKER);
        let bytes = match std::fs::read(&file) {
            Ok(bytes) => bytes,
            Err(error) if is_absence(error.kind()) => return Ok(false),
            Err(error) => return Err(Error::unreadable(file)(error)),
        };
        let marker: Marker =
            serde_json::from_slice(&bytes).map_err(|source| Error::Malformed { file, source })?;
        if marker.image_layout_version == VERSION {
            return Ok(true);
        }
        Err(Error::Version {
            folder: self.folder.clone(),
            version: marker.image_layout_version,
        })
    }

    /// What [`MARKER`] is to hold.
    pub(super) fn marker() -> Vec<u8> {
        let marker = Marker {
            image_layout_version: VERSION.to_owned(),
        };
        serde_json::to_vec(&marker).expect("a text becomes JSON")
    }
}

/// Whether there is nothing, or a file where a folder should be.
pub(super) fn is_absence(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory)
}
