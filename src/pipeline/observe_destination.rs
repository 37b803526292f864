//! What a destination tag holds now.

use crate::event::Step;
use crate::image::{Content, Digest, ImageConfiguration, ImageManifest, Reference, media_type};
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
        Ok(Content::Image(content)) if is_image(&content) => {
            let configuration = client.get_blob(image, content.config()).await;
            labels(&configuration.map_err(StepError::at(Step::Inspect))?)
        }
        Ok(Content::Image(_)) | Err(_) => None,
    };
    Ok(DestinationState::Holds {
        digest: manifest.digest().clone(),
        marks,
    })
}

/// Whether a manifest is that of a container image: a chart's or a signature's configuration may be
/// anything.
fn is_image(manifest: &ImageManifest) -> bool {
    let media_type = manifest.config().media_type().to_string();
    media_type == media_type::OCI_CONFIGURATION || media_type == media_type::DOCKER_CONFIGURATION
}

fn labels(configuration: &[u8]) -> Option<Marks> {
    let configuration: ImageConfiguration = serde_json::from_slice(configuration).ok()?;
    configuration
        .config()
        .as_ref()?
        .labels()
        .as_ref()
        .and_then(Marks::read)
}
