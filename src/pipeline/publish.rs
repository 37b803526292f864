//! Publishes what was built, piece by piece: the base's layers as they are upstream, the new ones,
//! the configuration, the manifests by digest, and the tag last.

use std::collections::BTreeMap;
use std::io;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt, TryStreamExt};

use crate::event::{Event, Step};
use crate::image::{Digest, Location, Manifest, Platform};
use crate::registry::ManifestHead;
use crate::store;

use super::assembly::Assembly;
use super::blobs::Blobs;
use super::marks::Marks;
use super::traffic::Fate;
use super::way::Way;
use super::{Access, StepError, index};

/// Publishes the images of one destination tag.
pub(super) struct Publisher<'a> {
    pub(super) access: &'a Access,
    pub(super) blobs: &'a Blobs<'a>,
    pub(super) way: Way<'a>,
}

/// One platform's image, ready to go.
pub(super) struct Ready {
    pub(super) platform: Platform,
    pub(super) assembly: Assembly,
    /// The base's layers with their sizes in bytes.
    pub(super) base_layers: BTreeMap<Digest, u64>,
}

impl Publisher<'_> {
    /// Publishes one platform as a single image, several as an index, and returns the digest that
    /// the destination tag then has.
    pub(super) async fn publish(
        &self,
        images: Vec<Ready>,
        marks: &Marks,
    ) -> Result<Digest, StepError> {
        let destination = self.way.destination;
        if let [only] = &images[..] {
            self.push(only, destination).await?;
            return Ok(only.assembly.manifest.digest().clone());
        }
        let mut children = Vec::with_capacity(images.len());
        for image in images {
            let manifest = &image.assembly.manifest;
            let target = destination.by_digest(manifest.digest().clone());
            self.push(&image, &target).await?;
            children.push((image.platform, head(manifest)));
        }
        self.reached(Step::Index);
        let index = index::join(children, marks);
        let writer = &self.way.tally.writer;
        writer
            .put_manifest(destination, &index)
            .await
            .map_err(StepError::at(Step::Index))?;
        Ok(index.digest().clone())
    }

    async fn push(&self, image: &Ready, target: &Location) -> Result<(), StepError> {
        let step = Step::Push(image.platform.clone());
        self.reached(step.clone());
        let Ready {
            assembly,
            base_layers,
            ..
        } = image;
        let writer = &self.way.tally.writer;
        let claim = self.blobs.claim(self.way, base_layers.clone());
        self.blobs.bring(self.way, &claim).await?;
        self.send(self.way, assembly, &step).await?;
        match writer.put_manifest(target, &assembly.manifest).await {
            Err(error) if error.lacks_blobs() => {
                claim.lost();
                let again = self.way.again();
                self.blobs.bring(again, &claim).await?;
                self.send(again, assembly, &step).await?;
                writer.put_manifest(target, &assembly.manifest).await
            }
            result => result,
        }
        .map_err(StepError::at(step))?;
        claim.committed();
        Ok(())
    }

    /// Sends what the upstream has not: the new layers and the configuration.
    async fn send(&self, way: Way<'_>, assembly: &Assembly, step: &Step) -> Result<(), StepError> {
        let configuration = Digest::of(&assembly.configuration);
        let size = assembly.configuration.len() as u64;
        let layers = assembly.layers.iter();
        let layers = layers.map(|layer| (&layer.digest, &layer.size));
        let all: BTreeMap<_, _> = layers.chain([(&configuration, &size)]).collect();
        let present = self.blobs.present(way, all).await;
        let layers = assembly.layers.iter();
        stream::iter(layers.filter(|layer| !present.contains(&layer.digest)))
            .map(|layer| self.send_one(way, &layer.digest, layer.size, || layer.read()))
            .buffer_unordered(assembly.layers.len().max(1))
            .try_collect::<()>()
            .await
            .map_err(StepError::at(step.clone()))?;
        if present.contains(&configuration) {
            return Ok(());
        }
        let bytes = &assembly.configuration;
        let open = async || {
            let bytes: io::Result<Bytes> = Ok(bytes.clone());
            Ok(stream::iter([bytes]))
        };
        self.send_one(way, &configuration, size, open)
            .await
            .map_err(StepError::at(step.clone()))
    }

    async fn send_one<S, R>(
        &self,
        way: Way<'_>,
        digest: &Digest,
        size: u64,
        open: impl Fn() -> R + Send + Sync,
    ) -> Result<(), store::Error>
    where
        R: Future<Output = io::Result<S>> + Send,
        S: stream::Stream<Item = io::Result<Bytes>> + Send + 'static,
    {
        let (writer, tally) = (&way.tally.writer, way.tally.blob());
        way.tally.volume.expect(size);
        let target = way.destination;
        let _slot = writer.transfer([target, target], size).await;
        let open = || async {
            tally.begin_anew();
            let bytes = open().await.map_err(store::Error::Local)?;
            let tally = tally.clone();
            let bytes = bytes.map_err(store::Error::Local);
            Ok::<_, store::Error>(bytes.inspect_ok(move |bytes| tally.moved(bytes.len() as u64)))
        };
        writer.put_blob(target, digest, size, None, open).await?;
        way.tally.count(Fate::Copied);
        Ok(())
    }

    fn reached(&self, step: Step) {
        let image = self.way.destination.clone();
        self.access.observer.observe(Event::Reached { image, step });
    }
}

fn head(manifest: &Manifest) -> ManifestHead {
    ManifestHead {
        digest: manifest.digest().clone(),
        media_type: manifest.media_type().to_owned(),
        size: manifest.bytes().len() as u64,
    }
}
