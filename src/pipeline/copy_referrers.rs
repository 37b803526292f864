//! Brings what refers to an image after it.

use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde_json::{Value, json};

use crate::event::{Event, Step};
use crate::failure::{Failure, Kind, chain};
use crate::image::{Digest, Manifest, Tag, media_type};

use super::StepError;
use super::copy::Copier;
use super::referrers::{Referrer, subjects};
use super::way::Way;

/// Referrers of one digest that are waited for together.
const PARALLEL_REFERRERS: usize = 16;

impl Copier<'_> {
    /// Brings all that refers to an image of which this manifest was just copied. `source` is the
    /// digest that the source's tag has.
    pub(super) async fn copy_referrers(
        &self,
        way: Way<'_>,
        source: &Digest,
        manifest: &Manifest,
    ) -> Result<(), StepError> {
        let subjects = subjects(source, manifest);
        let found = self
            .finder
            .find(way.source, subjects, way.destination)
            .await?;
        self.bring_referrers(way, &found).await
    }

    /// Brings these referrers, in their order. What the destination refuses for good is a warning:
    /// the image itself is in place.
    pub(super) async fn bring_referrers(
        &self,
        way: Way<'_>,
        referrers: &[Referrer],
    ) -> Result<(), StepError> {
        for group in referrers.chunk_by(|one, other| one.subject() == other.subject()) {
            let brought: Vec<Option<&Referrer>> = stream::iter(group)
                .map(|referrer| self.bring_referrer(way, referrer))
                .buffered(PARALLEL_REFERRERS)
                .try_collect()
                .await?;
            let brought: Vec<&Referrer> = brought.into_iter().flatten().collect();
            if let Some(subject) = brought.first().and_then(|referrer| referrer.subject()) {
                let listed = self.list_under_tag(way, subject, &brought).await;
                self.or_warning(way, subject, listed)?;
            }
        }
        Ok(())
    }

    /// The referrer itself where it arrived.
    async fn bring_referrer<'r>(
        &self,
        way: Way<'_>,
        referrer: &'r Referrer,
    ) -> Result<Option<&'r Referrer>, StepError> {
        let brought = match referrer {
            Referrer::Manifest { descriptor, .. } => self.push_child(way, descriptor).await,
            Referrer::Tagged { tag, digest } => self.push_tagged(way, tag, digest).await,
        };
        let arrived = self.or_warning(way, referrer.digest(), brought)?;
        Ok(arrived.then_some(referrer))
    }

    async fn push_tagged(&self, way: Way<'_>, tag: &Tag, digest: &Digest) -> Result<(), StepError> {
        let target = way.destination.by_tag(tag.clone());
        if !way.is_new_repository {
            let held = way.tally.writer.resolve(&target).await;
            if held.map_err(StepError::at(Step::Refer))?.as_ref() == Some(digest) {
                return Ok(());
            }
        }
        let manifest = self.fetch(way, digest).await?;
        self.push(way, &target, &manifest).await
    }

    /// A registry that keeps no list of referrers has it from its clients, as an index under a tag
    /// (OCI distribution specification 1.1, "Pushing Manifests with Subject").
    async fn list_under_tag(
        &self,
        way: Way<'_>,
        subject: &Digest,
        brought: &[&Referrer],
    ) -> Result<(), StepError> {
        let writer = &way.tally.writer;
        let listed = writer.referrers(way.destination, subject).await;
        if listed.map_err(StepError::at(Step::Refer))?.is_some() {
            return Ok(());
        }
        // Several images of a run may have one child; its list is read and written by one at a time.
        let _turn = self.lists.lock().await;
        let target = way.destination.by_tag(subject.referrers_tag());
        let held = writer.get_manifest(&target).await;
        let held = held.map_err(StepError::at(Step::Refer))?;
        let Some(index) = add(held.as_ref(), brought) else {
            return Ok(());
        };
        let written = writer.put_manifest(&target, &index).await;
        written.map_err(StepError::at(Step::Refer))
    }

    /// Whether it was done. What a later try or more pulls can help fails; the rest is told.
    fn or_warning(
        &self,
        way: Way<'_>,
        digest: &Digest,
        result: Result<(), StepError>,
    ) -> Result<bool, StepError> {
        match result {
            Ok(()) => Ok(true),
            Err(error) if error.kind().is_retryable() || error.kind() == Kind::Exhausted => {
                Err(error)
            }
            Err(error) => {
                let image = way.destination.clone();
                let message = format!("`{digest}` does not stand beside it: {}", chain(&error));
                let observer = &self.access.observer;
                observer.observe(Event::Warning { image, message });
                Ok(false)
            }
        }
    }
}

/// The index that a tag holds with these referrers added; `None` where it has them all. What is no
/// index is replaced: nothing else has a right to such a tag.
fn add(held: Option<&Manifest>, referrers: &[&Referrer]) -> Option<Manifest> {
    let held = held.filter(|held| held.is_index());
    let index = held.and_then(|held| serde_json::from_slice(held.bytes()).ok());
    let mut index: Value = index.unwrap_or_else(
        || json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": []}),
    );
    let listed = index["manifests"].as_array_mut()?;
    let before = listed.len();
    for referrer in referrers {
        if let Referrer::Manifest {
            digest, descriptor, ..
        } = referrer
            && !listed.iter().any(|it| it["digest"] == digest.as_str())
        {
            listed.push(serde_json::to_value(descriptor).ok()?);
        }
    }
    let is_changed = listed.len() > before;
    is_changed.then(|| Manifest::new(media_type::OCI_INDEX, index.to_string().into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Descriptor;

    fn referrer(text: &str) -> Referrer {
        let digest = Digest::of(text.as_bytes());
        let descriptor = json!({
            "mediaType": media_type::OCI_MANIFEST,
            "digest": digest,
            "size": text.len(),
            "artifactType": "application/spdx+json",
            "annotations": {"from": text},
        });
        let descriptor: Descriptor = serde_json::from_value(descriptor).unwrap();
        Referrer::Manifest {
            subject: Digest::of(b"subject"),
            digest,
            descriptor: Box::new(descriptor),
        }
    }

    #[test]
    fn a_list_grows_and_keeps_what_it_has() {
        let [one, two] = ["one", "two"].map(referrer);
        let first = add(None, &[&one]).unwrap();
        assert_eq!(add(Some(&first), &[&one]), None);

        let mut held: Value = serde_json::from_slice(first.bytes()).unwrap();
        held["manifests"][0]["x-unknown"] = json!(1);
        let held = Manifest::new(media_type::OCI_INDEX, held.to_string().into());
        let both = add(Some(&held), &[&two, &one]).unwrap();
        let both: Value = serde_json::from_slice(both.bytes()).unwrap();
        insta::assert_snapshot!(format!("{both:#}"));

        let image = Manifest::new(media_type::OCI_MANIFEST, "{}".into());
        assert_eq!(add(Some(&image), &[&one]), Some(first));
    }
}
