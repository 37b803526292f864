//! One platform's upstream image, as a built one is put together from it.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::event::Step;
use crate::image::{
    Content, Digest, ImageConfiguration, ImageManifest, Location, ParseManifestError, media_type,
};
use crate::store::Store;

use super::StepError;
use super::base::PlatformBase;
use super::base_error::BaseError;
use super::way::Way;

/// One platform's upstream image: what is needed of its manifest and its configuration.
#[derive(Clone, Debug)]
pub(super) struct BaseImage {
    /// The manifest.
    pub(super) manifest: ImageManifest,
    /// The configuration as it is.
    pub(super) configuration: Bytes,
    /// The digests of what is in the layers.
    pub(super) diff_ids: Vec<Digest>,
    /// How many entries the history has.
    pub(super) history: usize,
    /// When it was made: seconds since 1970, and as the configuration says it.
    pub(super) created: (u64, String),
}

impl BaseImage {
    /// The base of one platform, as it was read to make the plan, or else read now. Of what the
    /// Docker daemon has and pushes itself nobody else needs the layers.
    pub(super) async fn of(
        source: &Location,
        way: Way<'_>,
        platform: &PlatformBase,
    ) -> Result<Self, StepError> {
        let pinned = way.base(source, &platform.digest);
        let known = match (&platform.manifest, &platform.configuration, way.source) {
            (Some(manifest), Some(configuration), _) => {
                Self::new(manifest.clone(), configuration.clone())
            }
            (None, Some(configuration), Location::Daemon(_)) => {
                Self::without_layers(configuration.clone())
            }
            _ => return Self::fetch(&way.tally.reader, &pinned).await,
        };
        known.map_err(malformed(&pinned))
    }

    fn without_layers(configuration: Bytes) -> Result<Self, serde_json::Error> {
        let manifest = serde_json::json!({
            "schemaVersion": 2,
            "config": {
                "mediaType": media_type::OCI_CONFIGURATION,
                "digest": Digest::of(&configuration),
                "size": configuration.len(),
            },
            "layers": [],
        });
        Self::new(serde_json::from_value(manifest)?, configuration)
    }

    /// Reads a platform's manifest, which is named by its digest, and configuration: two GETs.
    pub(super) async fn fetch(store: &Store, pinned: &Location) -> Result<Self, StepError> {
        let resolve = StepError::at::<BaseError>;
        let manifest = store
            .get_manifest(pinned)
            .await
            .map_err(StepError::at(Step::Resolve))?
            .ok_or_else(|| resolve(Step::Resolve)(BaseError::missing(store, pinned)))?;
        let unusable = |source: ParseManifestError| BaseError::Manifest {
            image: pinned.to_string(),
            source,
        };
        let manifest = match manifest.content().map_err(unusable) {
            Ok(Content::Image(manifest)) => *manifest,
            Ok(Content::Index(_)) => {
                let media_type = manifest.media_type().to_owned();
                let error = unusable(ParseManifestError::MediaType(media_type));
                return Err(resolve(Step::Resolve)(error));
            }
            Err(error) => return Err(resolve(Step::Resolve)(error)),
        };
        let configuration = store
            .get_blob(pinned, manifest.config())
            .await
            .map_err(StepError::at(Step::Resolve))?;
        Self::new(manifest, configuration).map_err(malformed(pinned))
    }

    fn new(manifest: ImageManifest, configuration: Bytes) -> Result<Self, serde_json::Error> {
        let read: ImageConfiguration = serde_json::from_slice(&configuration)?;
        let diff_ids = read.rootfs().diff_ids().iter();
        let diff_ids = diff_ids.filter_map(|digest| digest.parse().ok()).collect();
        let created = serde_json::from_slice::<Value>(&configuration)?["created"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        Ok(Self {
            diff_ids,
            history: read.history().as_ref().map_or(0, Vec::len),
            created: moment(created),
            manifest,
            configuration,
        })
    }

    /// The time that is given to what is made of the image, in seconds since 1970 and as RFC 3339:
    /// its own, or the one that the user wants.
    pub(super) fn time(&self, wanted: Option<u64>) -> (u64, String) {
        let seconds = wanted.and_then(|seconds| i64::try_from(seconds).ok());
        let time = seconds.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
        let text = time.and_then(|time| time.format(&Rfc3339).ok());
        wanted.zip(text).unwrap_or_else(|| self.created.clone())
    }

    /// The layers' digests, of the blobs and of what is in them.
    pub(super) fn layers(&self) -> BTreeSet<Digest> {
        let blobs = self.manifest.layers().iter().flat_map(Digest::try_from);
        blobs.chain(self.diff_ids.iter().cloned()).collect()
    }
}

/// The error that the configuration of an image is none.
pub(super) fn malformed(image: &Location) -> impl FnOnce(serde_json::Error) -> StepError {
    let image = image.to_string();
    |source| StepError::new(Step::Resolve, BaseError::Configuration { image, source })
}

/// A time in seconds since 1970, and as text. What is no time of our days is the beginning of 1970,
/// as images that reproduce have it.
fn moment(text: String) -> (u64, String) {
    let parsed = OffsetDateTime::parse(&text, &Rfc3339).ok();
    let seconds = parsed.and_then(|time| u64::try_from(time.unix_timestamp()).ok());
    match seconds {
        Some(seconds) => (seconds, text),
        None => (0, "1970-01-01T00:00:00Z".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_or_the_beginning() {
        let text = "2024-01-02T03:04:05.678901Z";
        assert_eq!(moment(text.to_owned()), (1_704_164_645, text.to_owned()));
        for none in ["", "0001-01-01T00:00:00Z", "yesterday"] {
            assert_eq!(moment(none.to_owned()).0, 0);
        }
    }
}
