//! `index.json`: the images of a layout, and the tags that they have.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::Error;
use super::folder::{INDEX, Layout};
use crate::image::{Digest, Manifest, Reference, Tag, media_type};

/// The annotation that holds an image's name: a tag, or a whole reference with one.
const NAME: &str = "org.opencontainers.image.ref.name";

/// The key of the images.
const MANIFESTS: &str = "manifests";

/// `index.json` as it is. What longshore does not know of it stays when it is written again.
#[derive(Clone, Debug)]
pub(super) struct Index {
    text: Map<String, Value>,
    /// Where in the text the images of each tag stand.
    tagged: BTreeMap<Tag, Vec<usize>>,
}

impl Layout {
    /// The digest that a tag stands for; `None` where the tag, or the whole layout, does not exist.
    pub async fn resolve(&self, tag: &Tag) -> Result<Option<Digest>, Error> {
        let tag = tag.clone();
        self.blocking(move |layout| match layout.index()? {
            Some(index) => index.find(&layout, &tag),
            None => Ok(None),
        })
        .await
    }

    /// The digest that a tag stands for. That it does not exist is an error, which names those that
    /// do.
    pub async fn find(&self, tag: &Tag) -> Result<Digest, Error> {
        let tag = tag.clone();
        self.blocking(move |layout| {
            let index = layout.require_index()?;
            let found = index.find(&layout, &tag)?;
            found.ok_or_else(|| Error::NoTag {
                folder: layout.folder().to_owned(),
                tag,
                tags: index.tags(),
            })
        })
        .await
    }

    /// All tags, sorted by name.
    pub async fn list_tags(&self) -> Result<Vec<Tag>, Error> {
        self.blocking(|layout| Ok(layout.require_index()?.tags()))
            .await
    }

    /// Does what waits for the disk.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(Self) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let layout = self.clone();
        let done = tokio::task::spawn_blocking(move || work(layout)).await;
        done.map_err(|error| Error::unreadable(self.folder())(error.into()))?
    }

    fn require_index(&self) -> Result<Arc<Index>, Error> {
        let folder = self.folder().to_owned();
        match self.index()? {
            Some(index) => Ok(index),
            None if !folder.is_dir() => Err(Error::NoFolder { folder }),
            None => {
                let missing = if self.is_there()? {
                    INDEX
                } else {
                    super::folder::MARKER
                };
                Err(Error::NoLayout { folder, missing })
            }
        }
    }
}

impl Index {
    /// An index without images.
    pub(super) fn new() -> Self {
        Self {
            text: Map::from_iter([
                ("schemaVersion".to_owned(), json!(2)),
                ("mediaType".to_owned(), json!(media_type::OCI_INDEX)),
            ]),
            tagged: BTreeMap::new(),
        }
    }

    /// Reads the text of `index.json`.
    pub(super) fn parse(bytes: &[u8]) -> serde_json::Result<Self> {
        let mut index = Self {
            text: serde_json::from_slice(bytes)?,
            tagged: BTreeMap::new(),
        };
        index.find_tags();
        Ok(index)
    }

    /// The text of `index.json`.
    pub(super) fn write(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(&self.text).expect("JSON becomes JSON again");
        bytes.push(b'\n');
        bytes
    }

    /// Gives an image a tag, which no other image has then.
    pub(super) fn set(&mut self, tag: &Tag, manifest: &Manifest) {
        let entry = json!({
            "mediaType": manifest.media_type(),
            "digest": manifest.digest(),
            "size": manifest.bytes().len(),
            "annotations": {NAME: tag.as_str()},
        });
        let entries = self.text.entry(MANIFESTS).or_insert_with(|| json!([]));
        if !entries.is_array() {
            *entries = json!([]);
        }
        let Value::Array(entries) = entries else {
            return;
        };
        match self.tagged.get(tag).map(Vec::as_slice) {
            None => {
                self.tagged.insert(tag.clone(), vec![entries.len()]);
                entries.push(entry);
            }
            Some([place]) => entries[*place] = entry,
            Some(_) => {
                entries.retain(|entry| tag_of(entry).as_ref() != Some(tag));
                entries.push(entry);
                self.find_tags();
            }
        }
    }

    fn find_tags(&mut self) {
        let mut tagged: BTreeMap<Tag, Vec<usize>> = BTreeMap::new();
        for (place, entry) in self.entries().iter().enumerate() {
            if let Some(tag) = tag_of(entry) {
                tagged.entry(tag).or_default().push(place);
            }
        }
        self.tagged = tagged;
    }

    fn entries(&self) -> &[Value] {
        match self.text.get(MANIFESTS) {
            Some(Value::Array(entries)) => entries,
            _ => &[],
        }
    }

    /// The only image, where it has no name: the one that `latest` means.
    fn nameless(&self) -> Option<&Value> {
        match self.entries() {
            [only] if only["annotations"][NAME].is_null() => Some(only),
            _ => None,
        }
    }

    fn tags(&self) -> Vec<Tag> {
        let nameless = self.nameless().map(|_| Tag::latest());
        // A nameless image is the only one.
        self.tagged.keys().cloned().chain(nameless).collect()
    }

    fn find(&self, layout: &Layout, tag: &Tag) -> Result<Option<Digest>, Error> {
        let nameless = self.nameless().filter(|_| *tag == Tag::latest());
        let places = self.tagged.get(tag).into_iter().flatten();
        let named = places.map(|&place| &self.entries()[place]);
        let digests: BTreeSet<Digest> = named.chain(nameless).filter_map(digest_of).collect();
        let digests: Vec<Digest> = digests.into_iter().collect();
        match &digests[..] {
            [] => Ok(None),
            [one] => Ok(Some(one.clone())),
            _ => Err(Error::Ambiguous {
                folder: layout.folder().to_owned(),
                tag: tag.clone(),
                digests,
            }),
        }
    }
}

/// The tag of an image. `podman save` writes whole references.
fn tag_of(entry: &Value) -> Option<Tag> {
    let name = entry["annotations"][NAME].as_str()?;
    let reference = || name.parse::<Reference>().ok()?.tag;
    name.parse().ok().or_else(reference)
}

fn digest_of(entry: &Value) -> Option<Digest> {
    entry["digest"].as_str()?.parse().ok()
}
