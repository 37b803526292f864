//! What a destination tag holds now.

use crate::event::Step;
use crate::failure::{Failure, Kind};
use crate::image::{Content, Digest, ImageConfiguration, Reference};
use crate::registry::Client;

use super::StepError;
use super::marks::Marks;

/// What a destination tag holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum DestinationState {
    /// Nothing: the tag, or its repository, does not exist.
    Absent,
    /// An image.
    Holds {
        /// The digest of its manifest or index.
        digest: Digest,
        /// What it was made from, where longshore made it.
        marks: Option<Marks>,
    },
}

/// The image that a destination tag holds cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the image configuration that `{image}` holds is malformed")]
struct MalformedConfiguration {
    image: Reference,
    source: serde_json::Error,
}

impl Failure for MalformedConfiguration {
    fn kind(&self) -> Kind {
        Kind::Permanent
    }
}

/// Looks at a destination tag: one GET, and a second one for the configuration of an image that is
/// no index. Something that is no image of ours, such as a chart, has no marks and is no error.
pub(super) async fn observe_destination(
    client: &Client,
    image: &Reference,
) -> Result<DestinationState, StepError> {
    let found = client
        .get_manifest(image)
        .await
        .map_err(StepError::at(Step::Inspect))?;
    let Some(manifest) = found else {
        return Ok(DestinationState::Absent);
    };
    let marks = match manifest.content() {
        Ok(Content::Index(index)) => index.annotations().as_ref().and_then(Marks::read),
        Ok(Content::Image(content)) => {
            let bytes = client
                .get_blob(image, content.config())
                .await
                .map_err(StepError::at(Step::Inspect))?;
            labels(image, &bytes)?
        }
        Err(_) => None,
    };
    Ok(DestinationState::Holds {
        digest: manifest.digest().clone(),
        marks,
    })
}

fn labels(image: &Reference, bytes: &[u8]) -> Result<Option<Marks>, StepError> {
    let configuration: ImageConfiguration = serde_json::from_slice(bytes)
        .map_err(|source| MalformedConfiguration {
            image: image.clone(),
            source,
        })
        .map_err(StepError::at(Step::Inspect))?;
    let labels = configuration
        .config()
        .as_ref()
        .and_then(|config| config.labels().as_ref());
    Ok(labels.and_then(Marks::read))
}
