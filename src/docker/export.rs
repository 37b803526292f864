//! Getting an image out of the daemon: what a registry has to be given of it.

use std::collections::BTreeSet;
use std::io;
use std::time::Instant;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use tokio_util::io::{StreamReader, SyncIoBridge};
use tracing::debug;

use super::connection::Docker;
use super::error::{Error, Task};
use crate::image::Digest;

mod archive;
mod clamp;
mod compression;
mod handover;
mod layer;
mod reception;

pub use compression::Compression;
pub use layer::{Layer, LayerSettings};

/// What is wanted of an image.
#[derive(Clone, Copy)]
pub struct ExportRequest<'a> {
    /// The image's local id.
    pub id: &'a Digest,
    /// How many layers its base has: they come first, and nobody needs them.
    pub base_layers: usize,
    /// The base's layers, by the digests of their blobs and of what is in them.
    pub known: &'a BTreeSet<Digest>,
    /// How new layers are written.
    pub settings: LayerSettings,
    /// Hears of a name that the image has to have in the daemon for the short way out, before it has
    /// it, and removes it in the end. Without, the image takes the long way.
    pub named: Option<&'a (dyn Fn(String) + Send + Sync)>,
}

/// What a registry has to be given of an image whose base it has.
#[derive(Debug)]
pub struct Export {
    /// The configuration as the daemon has it: its `diff_ids` are those of the layers before they
    /// were written anew.
    pub configuration: Bytes,
    /// The layers above the base's, in order.
    pub layers: Vec<Layer>,
}

/// Why an image that the daemon exports cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The archive could not be read, or a layer not be written.
    #[error("cannot unpack it into `{}`", std::env::temp_dir().display())]
    Unpack(#[from] io::Error),
    /// The archive names no image.
    #[error("it is malformed: {what}")]
    Malformed {
        /// What is wrong with it.
        what: String,
    },
}

impl Docker {
    /// Exports an image and keeps what its base lacks: the configuration, and the new layers as
    /// compressed files that go with the [`Layer`]s. Nothing is held in memory but JSON.
    pub async fn export(&self, request: ExportRequest<'_>) -> Result<Export, Error> {
        if let Some(named) = request.named
            && let Some(export) = self.hand_over(request, named).await
        {
            return Ok(export);
        }
        self.save(request).await
    }

    /// The long way out, which is open wherever the daemon is: an engine with the classic store
    /// sends the whole image, however little of it is new (`docker save`). Reading ends where all
    /// that is wanted has come.
    async fn save(&self, request: ExportRequest<'_>) -> Result<Export, Error> {
        let started = Instant::now();
        let task = || Task::Export(request.id.to_string());
        let client = self.patient();
        let id = request.id.to_string();
        let mut stream = Box::pin(client.export_image(&id)).peekable();
        // An error that comes first is the daemon's answer; later ones break the archive.
        if let Some(Err(_)) = std::pin::Pin::new(&mut stream).peek().await
            && let Some(Err(error)) = stream.next().await
        {
            return Err(Error::of(task(), error));
        }
        let (sender, receiver) = tokio::sync::mpsc::channel::<io::Result<Bytes>>(16);
        let (known, settings) = (request.known.clone(), request.settings);
        let base_layers = request.base_layers;
        let unpack = tokio::task::spawn_blocking(move || {
            let chunks = futures_util::stream::unfold(receiver, async |mut receiver| {
                receiver.recv().await.map(|chunk| (chunk, receiver))
            });
            let reader = SyncIoBridge::new(StreamReader::new(Box::pin(chunks)));
            archive::read(reader, base_layers, &known, settings)
        });
        let mut chunks = stream.map_err(io::Error::other);
        while let Some(chunk) = chunks.next().await {
            // Nobody listens any more when all that is wanted has come.
            if sender.send(chunk).await.is_err() {
                break;
            }
        }
        drop(sender);
        let unpacked = unpack
            .await
            .map_err(|error| ExportError::from(io::Error::other(error)));
        let export = unpacked.and_then(|result| result);
        let export = export.map_err(|source| Error::Export {
            task: task(),
            source,
        })?;
        debug!(%id, layers = export.layers.len(), elapsed = ?started.elapsed(), "exported");
        Ok(export)
    }
}
