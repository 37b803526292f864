//! What an image was made from, as the labels and annotations that longshore leaves on it.

use std::collections::{BTreeMap, HashMap};

use crate::dockerfile::{Recipe, label};
use crate::image::{Digest, Reference};

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
    pub fn new(source: &Reference, digest: &Digest, recipe: &Recipe) -> Self {
        Self {
            base_name: base_name(source),
            base_digest: digest.to_string(),
            recipe: recipe.as_str().to_owned(),
        }
    }

    /// The marks among labels or annotations; `None` where longshore did not make the image.
    pub fn read(values: &HashMap<String, String>) -> Option<Self> {
        Some(Self {
            base_name: values.get(label::BASE_NAME)?.clone(),
            base_digest: values.get(label::BASE_DIGEST)?.clone(),
            recipe: values.get(label::RECIPE)?.clone(),
        })
    }

    /// The marks as labels or annotations.
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
pub(super) fn base_name(source: &Reference) -> String {
    Reference {
        digest: None,
        ..source.clone()
    }
    .to_string()
}
