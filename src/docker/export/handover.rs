//! The short way out of a daemon on this machine: it pushes to longshore, which says that it has
//! the base's layers, so that none of them is read, let alone compressed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;

use bytes::Bytes;
use serde::Deserialize;
use tracing::debug;

use super::layer::{LayerSettings, Spooled};
use super::reception::Reception;
use super::{Export, ExportError, ExportRequest};
use crate::docker::connection::Docker;
use crate::docker::error::Error;
use crate::image::{Content, Digest, Manifest, media_type};

const TAG: &str = "latest";

/// What a configuration says of its layers.
#[derive(Deserialize)]
struct Configuration {
    rootfs: RootFs,
}

#[derive(Deserialize)]
struct RootFs {
    diff_ids: Vec<Digest>,
}

/// What a push brought.
struct Delivery {
    manifest: Bytes,
    blobs: BTreeMap<Digest, File>,
}

impl Docker {
    /// Exports an image by way of a push; `None` where the daemon does not find this process on its
    /// loopback, or has forgotten where a layer came from and what is its digest there.
    pub(super) async fn hand_over(&self, request: ExportRequest<'_>) -> Option<Export> {
        if !self.is_on_this_machine() {
            return None;
        }
        let reception = Reception::open(request.known.clone()).await.ok()?;
        let repository = reception.repository();
        let id = request.id.to_string();
        let pushed = self.push_to(&repository, &id).await;
        if let Err(error) = self.remove(&format!("{repository}:{TAG}")).await {
            debug!(%error, repository, "a name stays in the daemon");
        }
        let pushed = pushed.inspect_err(|error| debug!(%error, id, "was not handed over"));
        let (manifest, blobs) = pushed.ok().and_then(|()| reception.finish())?;
        let delivery = Delivery { manifest, blobs };
        let (base_layers, settings) = (request.base_layers, request.settings);
        let wanted = request.id.clone();
        let unpacked =
            tokio::task::spawn_blocking(move || delivery.unpack(&wanted, base_layers, settings));
        match unpacked.await.ok()? {
            Ok(export) => export,
            Err(error) => {
                debug!(%error, id, "what was handed over cannot be used");
                None
            }
        }
    }

    async fn push_to(&self, repository: &str, id: &str) -> Result<(), Error> {
        self.tag(id, repository, TAG).await?;
        let digest = self.push(repository, TAG, None, &mut |_| ()).await?;
        debug!(%digest, id, "was handed over");
        Ok(())
    }
}

impl Delivery {
    /// The configuration and the new layers, of exactly the image that was wanted.
    fn unpack(
        mut self,
        wanted: &Digest,
        base_layers: usize,
        settings: LayerSettings,
    ) -> Result<Option<Export>, ExportError> {
        let manifest = Manifest::new(media_type::OCI_MANIFEST, self.manifest);
        let Ok(Content::Image(image)) = manifest.content() else {
            return Ok(None);
        };
        let digest_of = |text: String| text.parse::<Digest>().ok();
        let config = digest_of(image.config().digest().to_string());
        let Some(config) = config.filter(|config| config == wanted || manifest.digest() == wanted)
        else {
            return Ok(None);
        };
        let Some(mut blob) = self.blobs.remove(&config) else {
            return Ok(None);
        };
        let mut configuration = Vec::new();
        blob.read_to_end(&mut configuration)?;
        let content: Configuration =
            serde_json::from_slice(&configuration).map_err(|error| ExportError::Malformed {
                what: error.to_string(),
            })?;
        let mut layers = Vec::new();
        let new = image.layers().iter().zip(content.rootfs.diff_ids);
        for (layer, diff_id) in new.skip(base_layers) {
            // A new layer that equals one of the base's was not sent.
            let digest = digest_of(layer.digest().to_string());
            let sent = digest.and_then(|digest| self.blobs.remove_entry(&digest));
            let Some((digest, file)) = sent else {
                return Ok(None);
            };
            let spooled = Spooled::of(digest, file)?;
            if spooled.diff_id != diff_id {
                return Err(ExportError::Malformed {
                    what: format!("a layer is `{}` and not `{diff_id}`", spooled.diff_id),
                });
            }
            layers.push(spooled.write(settings)?);
        }
        Ok(Some(Export {
            configuration: configuration.into(),
            layers,
        }))
    }
}
