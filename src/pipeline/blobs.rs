//! Brings blobs from the source into a repository of the destination: those that it has not, each
//! once per run.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, FuturesUnordered, StreamExt, TryStreamExt};
use tokio::sync::{OnceCell, Semaphore};

use crate::event::Step;
use crate::image::{Digest, ImageManifest, Repository, media_type};
use crate::registry::Uploaded;
use crate::store;

use super::claims::{Claim, Claims, Turn};
use super::copy::digest_of;
use super::traffic::{Fate, Tally};
use super::way::Way;
use super::{Access, StepError};

/// Questions about single blobs that are asked together; each registry's slots decide how many
/// really are.
const PARALLEL_QUESTIONS: usize = 16;

/// Brings blobs; each (repository, digest) travels once per run, and is read from the source once
/// where the destination can mount.
pub(super) struct Blobs<'a> {
    access: &'a Access,
    claims: Claims,
    /// Set once the account's setting was asked for.
    setting: OnceCell<()>,
}

impl<'a> Blobs<'a> {
    pub(super) fn new(access: &'a Access) -> Self {
        Self {
            access,
            claims: Claims::default(),
            setting: OnceCell::new(),
        }
    }

    /// Claims blobs, given with their sizes in bytes, for the destination's repository.
    pub(super) fn claim(&self, way: Way<'_>, blobs: BTreeMap<Digest, u64>) -> Claim<'_> {
        self.claims.claim(way.repository, blobs)
    }

    /// Brings blobs long before there is a manifest to hold them, as many at once as there are
    /// `lanes`. Nobody waits for that manifest.
    pub(super) async fn seed(
        &self,
        way: Way<'_>,
        blobs: BTreeMap<Digest, u64>,
        lanes: &Semaphore,
    ) -> Result<(), StepError> {
        let claim = self.claim(way, blobs);
        self.bring_in_lanes(way, &claim, lanes).await
    }

    /// Brings what was claimed.
    pub(super) async fn bring(&self, way: Way<'_>, claim: &Claim<'_>) -> Result<(), StepError> {
        let lanes = Semaphore::new(Semaphore::MAX_PERMITS);
        self.bring_in_lanes(way, claim, &lanes).await
    }

    async fn bring_in_lanes(
        &self,
        way: Way<'_>,
        claim: &Claim<'_>,
        lanes: &Semaphore,
    ) -> Result<(), StepError> {
        let asked = claim.blobs.iter();
        let asked = asked.filter(|(digest, _)| claim.turn(digest) != Turn::Done);
        let present = self.present(way, asked.collect()).await;
        claim.arrived(&present);
        // All at once: some wait for others, and slots decide how many really travel.
        claim
            .blobs
            .iter()
            .map(|(digest, size)| self.bring_one(way, claim, digest, *size, lanes))
            .collect::<FuturesUnordered<_>>()
            .try_collect()
            .await
    }

    /// The blobs that the destination repository has: ECR answers for a hundred in one call; where
    /// it does not know or may not be asked, each costs a HEAD.
    pub(super) async fn present(
        &self,
        way: Way<'_>,
        blobs: BTreeMap<&Digest, &u64>,
    ) -> BTreeSet<Digest> {
        if way.is_new_repository || blobs.is_empty() {
            return BTreeSet::new();
        }
        if let Some(ecr) = self.access.destination.image_api() {
            let (digests, repository) = (blobs.keys().copied().cloned().collect(), way.repository);
            match ecr.available_layers(repository, &digests).await {
                Ok(available) => return available,
                Err(error) => tracing::debug!(%repository, %error, "asking blob by blob"),
            }
        }
        stream::iter(blobs)
            .map(|(digest, size)| async move {
                let found = way
                    .tally
                    .writer
                    .blob_exists(way.destination, digest, *size)
                    .await;
                found.unwrap_or(false).then(|| digest.clone())
            })
            .buffer_unordered(PARALLEL_QUESTIONS)
            .filter_map(std::future::ready)
            .collect()
            .await
    }

    async fn bring_one(
        &self,
        way: Way<'_>,
        claim: &Claim<'_>,
        digest: &Digest,
        size: u64,
        lanes: &Semaphore,
    ) -> Result<(), StepError> {
        let Way { tally, .. } = way;
        if claim.turn(digest) == Turn::Done {
            tally.count(Fate::Skipped);
            return Ok(());
        }
        tally.volume.expect(size);
        let origin = match self.wait(claim, digest).await {
            Turn::Done => {
                tally.volume.spare(size);
                tally.count(Fate::Skipped);
                return Ok(());
            }
            Turn::Mount(origin) => Some(origin),
            Turn::Send | Turn::Wait | Turn::WaitForMount => None,
        };
        let mount_from = origin.as_ref().or_else(|| way.neighbour());
        let became = self.push(way, digest, size, mount_from, lanes).await?;
        if origin.is_some() {
            self.claims.asked_to_mount(became);
        }
        if became == Uploaded::Mounted {
            tally.volume.spare(size);
            tally.count(Fate::Mounted);
        } else {
            tally.count(Fate::Copied);
        }
        claim.arrived([digest]);
        Ok(())
    }

    /// Waits for a blob's turn. An account that does not let blobs be mounted is not waited for.
    async fn wait(&self, claim: &Claim<'_>, digest: &Digest) -> Turn {
        let api = self.access.destination.image_api();
        if let (Turn::WaitForMount, Some(ecr)) = (claim.turn(digest), api) {
            let ask = || async {
                match ecr.mounts_blobs().await {
                    Ok(Some(false)) => self.claims.give_up_mounting(),
                    Ok(Some(true) | None) => {}
                    Err(error) => tracing::debug!(%error, "finding out by mounting"),
                }
            };
            self.setting.get_or_init(ask).await;
        }
        claim.wait(digest).await
    }

    /// What has to be read from the source waits for a lane and a slot at both ends; what may be
    /// mounted does not, unless the registry wants it to be sent after all.
    async fn push(
        &self,
        way: Way<'_>,
        digest: &Digest,
        size: u64,
        origin: Option<&Repository>,
        lanes: &Semaphore,
    ) -> Result<Uploaded, StepError> {
        let Way {
            source,
            destination,
            tally,
            ..
        } = way;
        let Tally { reader, writer, .. } = tally;
        let slots = OnceCell::new();
        let wait = || async {
            let lane = lanes.acquire().await.expect("never closed");
            (lane, writer.transfer([source, destination], size).await)
        };
        let take_slots = || slots.get_or_init(wait);
        if origin.is_none() {
            take_slots().await;
        }
        let tally = tally.blob();
        let open = || async {
            take_slots().await;
            tally.begin_anew();
            let bytes = reader.open_blob(source, digest, size).await?;
            let tally = tally.clone();
            Ok::<_, store::Error>(bytes.inspect_ok(move |bytes| tally.moved(bytes.len() as u64)))
        };
        writer
            .put_blob(destination, digest, size, origin, open)
            .await
            .map_err(StepError::at(Step::Copy))
    }
}

/// The blobs of an image by digest, with their sizes in bytes.
pub(super) fn blobs_of(image: &ImageManifest) -> Result<BTreeMap<Digest, u64>, StepError> {
    let mut blobs = layers_of(image)?;
    blobs.insert(digest_of(image.config())?, image.config().size());
    Ok(blobs)
}

/// The layers of an image by digest, with their sizes in bytes. Foreign ones, which name the places
/// where they are, belong to no registry. An ordinary layer may name such places too, and whoever
/// pulls the image asks the registry for it all the same.
pub(super) fn layers_of(image: &ImageManifest) -> Result<BTreeMap<Digest, u64>, StepError> {
    let layers = image.layers().iter();
    let layers = layers.filter(|layer| !media_type::is_foreign(layer));
    layers
        .map(|layer| Ok((digest_of(layer)?, layer.size())))
        .collect()
}
