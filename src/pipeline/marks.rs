//! What an image was made from, as the labels and annotations that longshore leaves on it.

use std::collections::{BTreeMap, HashMap};

use crate::dockerfile::{Recipe, label};
use crate::event::Step;
use crate::image::{
    Content, Digest, ImageConfiguration, ImageManifest, Location, Manifest, media_type,
};
use crate::store::Store;

use super::StepError;

/// What an image was made from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Marks {
    /// The upstream image's mutable name.
    pub base_name: String,
    /// The digest that the upstream tag had.
    pub base_digest: String,
    /// The recipe's hash.
    pub recipe: String,
}

impl Marks {
    /// The marks of an image that is made from this source, now.
    pub fn new(source: &Location, digest: &Digest, recipe: &Recipe) -> Self {
        Self {
            base_name: base_name(source),
            base_digest: digest.to_string(),
            recipe: recipe.as_str().to_owned(),
        }
    }

    /// The marks of an image of the destination: an index has them as annotations; one that the
    /// Docker daemon pushed, which writes none, as labels of its configuration, which costs a GET.
    /// Something that is no image of ours, such as a chart, has no marks and is no error.
    pub(super) async fn of(
        store: &Store,
        image: &Location,
        manifest: &Manifest,
    ) -> Result<Option<Self>, StepError> {
        if let Some(annotated) = Self::annotated(manifest) {
            return Ok(Some(annotated));
        }
        match manifest.content() {
            // The daemon pushes no annotations.
            Ok(Content::Image(content)) if is_image(&content) => {
                let configuration = store.get_blob(image, content.config()).await;
                let configuration = configuration.map_err(StepError::at(Step::Inspect))?;
                Ok(Self::labelled(&configuration))
            }
            _ => Ok(None),
        }
    }

    /// The marks that a manifest or index carries as annotations.
    pub(super) fn annotated(manifest: &Manifest) -> Option<Self> {
        match manifest.content() {
            Ok(Content::Index(index)) => Self::read(index.annotations().as_ref()?),
            Ok(Content::Image(image)) => Self::read(image.annotations().as_ref()?),
            Err(_) => None,
        }
    }

    fn labelled(configuration: &[u8]) -> Option<Self> {
        let configuration: ImageConfiguration = serde_json::from_slice(configuration).ok()?;
        Self::read(configuration.config().as_ref()?.labels().as_ref()?)
    }

    /// The marks among labels or annotations; `None` where longshore did not make the image.
    fn read(values: &HashMap<String, String>) -> Option<Self> {
        Some(Self {
            base_name: values.get(label::BASE_NAME)?.clone(),
            base_digest: values.get(label::BASE_DIGEST)?.clone(),
            recipe: values.get(label::RECIPE)?.clone(),
        })
    }

    /// The labels of one platform's image: the marks, and the digest of that platform's base.
    pub(super) fn labels(&self, platform_base: &Digest) -> BTreeMap<String, String> {
        let mut labels = self.write();
        labels.insert(label::PLATFORM_DIGEST.to_owned(), platform_base.to_string());
        labels
    }

    /// The marks as annotations.
    pub fn write(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            (label::BASE_NAME.to_owned(), self.base_name.clone()),
            (label::BASE_DIGEST.to_owned(), self.base_digest.clone()),
            (label::RECIPE.to_owned(), self.recipe.clone()),
        ])
    }
}

/// The upstream image as labels name it: fully qualified, by its tag. A digest that the file pins
/// is not part of the name, and a source without a tag is named by its repository alone.
pub(super) fn base_name(source: &Location) -> String {
    source.unpinned().to_string()
}

/// Whether a manifest is that of a container image: a chart's or a signature's configuration may be
/// anything.
fn is_image(manifest: &ImageManifest) -> bool {
    let media_type = manifest.config().media_type().to_string();
    media_type == media_type::OCI_CONFIGURATION || media_type == media_type::DOCKER_CONFIGURATION
}
