//! An image of the Docker daemon, taken out of it to be read like any other.

use tempfile::TempDir;

use crate::docker::{Compression, Docker, ExportRequest, LayerSettings};
use crate::event::Step;
use crate::failure::{Failure, Kind};
use crate::image::{Digest, LayoutReference, Location, Manifest};
use crate::layout::{self, Layouts};

use super::StepError;
use super::assembly::Assembly;
use super::marks::Marks;

/// An image of the Docker daemon in an OCI layout of its own, which goes with this value.
pub(super) struct Unpacked {
    /// The layout, and the manifest's digest.
    pub(super) location: Location,
    /// The manifest, which carries the marks.
    pub(super) manifest: Manifest,
    _folder: TempDir,
}

/// The image cannot be kept for a moment.
#[derive(Debug, thiserror::Error)]
enum UnpackError {
    #[error("cannot make a folder in `{}`", std::env::temp_dir().display())]
    Folder(#[source] std::io::Error),
    #[error("cannot keep it for a moment")]
    Layout(#[from] layout::Error),
}

impl Failure for UnpackError {
    fn kind(&self) -> Kind {
        Kind::Transient
    }

    fn hint(&self) -> Option<String> {
        Some("is there room in the folder for temporary files? TMPDIR names another".to_owned())
    }
}

impl Unpacked {
    /// Exports an image: its configuration as it is, and its layers, compressed where the daemon
    /// does not keep them so. The same image gives the same bytes.
    pub(super) async fn export(
        docker: &Docker,
        id: &Digest,
        compression: Compression,
        marks: &Marks,
    ) -> Result<Self, StepError> {
        let request = ExportRequest {
            id,
            base_layers: 0,
            known: &[].into(),
            settings: LayerSettings {
                latest: None,
                compression,
            },
            // All of it is wanted, and as it is.
            named: None,
        };
        let export = docker.export(request).await;
        let export = export.map_err(StepError::at(Step::Export))?;
        let assembly = Assembly::of_image(export, marks).map_err(StepError::at(Step::Export))?;
        let kept = Self::keep(assembly).await;
        kept.map_err(StepError::at(Step::Export))
    }

    async fn keep(assembly: Assembly) -> Result<Self, UnpackError> {
        let folder = tempfile::Builder::new().prefix("longshore-").tempdir();
        let folder = folder.map_err(UnpackError::Folder)?;
        let layout = Layouts::default().at(folder.path());
        for layer in assembly.layers {
            let digest = layer.digest.clone();
            layout
                .take_blob(&digest, |place| layer.settle(place))
                .await?;
        }
        let configuration = assembly.configuration;
        let digest = Digest::of(&configuration);
        layout
            .take_blob(&digest, move |place| std::fs::write(place, configuration))
            .await?;
        let manifest = assembly.manifest;
        let digest = manifest.digest();
        layout.put_manifest(digest, &manifest, None).await?;
        Ok(Self {
            location: Location::Layout(LayoutReference {
                folder: folder.path().to_owned(),
                tag: None,
                digest: Some(digest.clone()),
            }),
            manifest,
            _folder: folder,
        })
    }
}
