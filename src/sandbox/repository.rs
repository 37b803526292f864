//! A repository: its settings and what it holds.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::fresh;
use crate::image::Manifest;

/// A repository of the sandbox. Digests are kept as text, as they stand in manifests.
#[derive(Clone, Deserialize, Serialize)]
pub(super) struct Repository {
    pub(super) created_at: f64,
    pub(super) settings: Settings,
    pub(super) lifecycle_policy: Option<String>,
    pub(super) policy: Option<String>,
    pub(super) resource_tags: BTreeMap<String, String>,
    /// Images and indexes by digest.
    pub(super) images: BTreeMap<String, Image>,
    /// Digests by tag.
    pub(super) tags: BTreeMap<String, String>,
    /// The sizes in bytes of the blobs visible here, by digest.
    pub(super) blobs: BTreeMap<String, u64>,
    /// When each tag was last compared with its upstream, where it has one.
    #[serde(default)]
    pub(super) compared_at: BTreeMap<String, f64>,
}

/// The settings in ECR's own words.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Settings {
    #[serde(flatten)]
    pub(super) mutability: Mutability,
    pub(super) image_scanning_configuration: Scanning,
    pub(super) encryption_configuration: Encryption,
}

/// Which tags can be overwritten.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Mutability {
    pub(super) image_tag_mutability: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) image_tag_mutability_exclusion_filters: Vec<Exclusion>,
}

/// A pattern of tags for which the opposite holds; `*` is any text.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Exclusion {
    pub(super) filter_type: String,
    pub(super) filter: String,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Scanning {
    scan_on_push: bool,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Encryption {
    pub(super) encryption_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    kms_key: Option<String>,
}

/// An image or index.
#[derive(Clone, Deserialize, Serialize)]
pub(super) struct Image {
    pub(super) media_type: String,
    /// The manifest as pushed; always JSON, so always text.
    pub(super) text: String,
    pub(super) pushed_at: f64,
}

/// What a manifest refers to, by digest with sizes in bytes.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) blobs: BTreeMap<String, u64>,
    pub(super) children: BTreeSet<String>,
}

impl Repository {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            created_at: fresh::now(),
            settings,
            lifecycle_policy: None,
            policy: None,
            resource_tags: BTreeMap::new(),
            images: BTreeMap::new(),
            tags: BTreeMap::new(),
            blobs: BTreeMap::new(),
            compared_at: BTreeMap::new(),
        }
    }

    /// The digest that a tag or digest stands for, when the repository has it.
    pub(super) fn resolve(&self, reference: &str) -> Option<&str> {
        let digest = self.tags.get(reference).map_or(reference, String::as_str);
        self.images
            .get_key_value(digest)
            .map(|(digest, _)| digest.as_str())
    }

    /// All images and indexes.
    pub(super) fn manifests(&self) -> Vec<Manifest> {
        let manifest = |it: &Image| Manifest::new(&it.media_type, it.text.clone().into());
        self.images.values().map(manifest).collect()
    }

    /// The tags of an image.
    pub(super) fn tags_of(&self, digest: &str) -> Vec<&str> {
        let tags = self.tags.iter().filter(|(_, tagged)| *tagged == digest);
        tags.map(|(tag, _)| tag.as_str()).collect()
    }

    /// The indexes that list an image.
    pub(super) fn parents(&self, digest: &str) -> Vec<&str> {
        let lists = |image: &Image| image.parts().children.contains(digest);
        let parents = self.images.iter().filter(|(_, image)| lists(image));
        parents.map(|(digest, _)| digest.as_str()).collect()
    }

    /// Whether some manifest here refers to a blob. Only such a blob can be mounted elsewhere
    /// (containers-roadmap#2860).
    pub(super) fn refers_to(&self, blob: &str) -> bool {
        let mut images = self.images.values();
        images.any(|image| image.parts().blobs.contains_key(blob))
    }
}

impl Mutability {
    /// Whether a tag, once set, is there to stay.
    pub(super) fn is_fixed(&self, tag: &str) -> bool {
        let filters = &self.image_tag_mutability_exclusion_filters;
        let excluded = filters.iter().any(|each| matches(&each.filter, tag));
        match self.image_tag_mutability.as_str() {
            "IMMUTABLE" => true,
            "IMMUTABLE_WITH_EXCLUSION" => !excluded,
            "MUTABLE_WITH_EXCLUSION" => excluded,
            _ => false,
        }
    }
}

impl Image {
    pub(super) fn parts(&self) -> Parts {
        Parts::of(&self.text).unwrap_or_default()
    }
}

impl Parts {
    /// What a manifest refers to; `None` when it is no JSON object. Layers with `urls` are kept
    /// elsewhere and need not be pushed.
    pub(super) fn of(manifest: &str) -> Option<Self> {
        let manifest: serde_json::Value = serde_json::from_str(manifest).ok()?;
        let manifest = manifest.as_object()?;
        let list = |name: &str| manifest.get(name).and_then(|value| value.as_array());
        let digest = |part: &serde_json::Value| Some(part.get("digest")?.as_str()?.to_owned());
        let layers = list("layers").into_iter().flatten();
        let blobs = layers
            .filter(|layer| layer.get("urls").is_none())
            .chain(manifest.get("config"))
            .filter_map(|part| Some((digest(part)?, part.get("size")?.as_u64()?)));
        let children = list("manifests").into_iter().flatten();
        Some(Self {
            blobs: blobs.collect(),
            children: children.filter_map(digest).collect(),
        })
    }
}

/// Whether a text fits a pattern in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            text.char_indices()
                .map(|(index, _)| index)
                .chain([text.len()])
                .any(|index| matches(rest, &text[index..]))
        }),
    }
}

impl Default for Encryption {
    fn default() -> Self {
        Self {
            encryption_type: "AES256".to_owned(),
            kms_key: None,
        }
    }
}

impl Default for Mutability {
    fn default() -> Self {
        Self {
            image_tag_mutability: "MUTABLE".to_owned(),
            image_tag_mutability_exclusion_filters: Vec::new(),
        }
    }
}
