//! An index with some of another index's children.

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::config::Attestations;
use crate::image::{Manifest, ParseManifestError, Platform, media_type};

use super::marks::Marks;
use super::part::Choice;

/// What BuildKit writes at an attestation: the digest of the image that it is about.
const ATTESTED: &str = "vnd.docker.reference.digest";

impl Choice<'_> {
    /// Whether a manifest has all that is wanted and nothing else. An image that is no index says
    /// nothing of its platform, so it is no answer to a choice of platforms.
    pub(super) fn is_all_of(&self, manifest: &Manifest) -> bool {
        if !manifest.is_index() {
            return self.platforms.is_none();
        }
        let Ok(document) = read(manifest) else {
            return false;
        };
        let children = children(&document);
        let offers = |wanted: &Platform| {
            children
                .iter()
                .any(|it| platform(it).as_ref() == Some(wanted))
        };
        let wanted = self.platforms.unwrap_or_default();
        wanted.iter().all(offers) && self.of(children).len() == children.len()
    }

    /// An OCI index with the wanted children of an index: the descriptors as they are, in their
    /// order, with the marks as annotations. The same input gives the same bytes. A manifest of
    /// which all is wanted stays what it is.
    pub(super) fn filter(
        &self,
        manifest: &Manifest,
        marks: &Marks,
    ) -> Result<Manifest, ParseManifestError> {
        if self.is_all_of(manifest) {
            return Ok(manifest.clone());
        }
        let mut document = read(manifest)?;
        let kept = self.of(children(&document));
        let kept: Value = kept.into_iter().cloned().collect();
        document.insert("manifests".to_owned(), kept);
        document.insert("mediaType".to_owned(), media_type::OCI_INDEX.into());
        let mut annotations = match document.remove("annotations") {
            Some(Value::Object(annotations)) => annotations,
            _ => Map::new(),
        };
        let marks = marks.write().into_iter();
        annotations.extend(marks.map(|(name, value)| (name, value.into())));
        document.insert("annotations".to_owned(), annotations.into());
        let bytes = Value::from(document).to_string();
        Ok(Manifest::new(media_type::OCI_INDEX, Bytes::from(bytes)))
    }

    /// The wanted ones of an index's children.
    fn of<'v>(&self, children: &'v [Value]) -> Vec<&'v Value> {
        let chosen = |child: &Value| match self.platforms {
            None => true,
            Some(platforms) => platform(child).is_some_and(|found| platforms.contains(&found)),
        };
        let images = children
            .iter()
            .filter(|child| attested(child).is_none() && chosen(child));
        let digests: Vec<&Value> = images.map(|child| &child["digest"]).collect();
        let wanted = |child: &&Value| match (attested(child), self.attestations) {
            (None, _) => chosen(child),
            (Some(_), Attestations::Drop) => false,
            (Some(_), Attestations::Keep) if self.platforms.is_none() => true,
            (Some(about), Attestations::Keep) => digests.contains(&about),
        };
        children.iter().filter(wanted).collect()
    }
}

fn read(manifest: &Manifest) -> Result<Map<String, Value>, ParseManifestError> {
    serde_json::from_slice(manifest.bytes()).map_err(|source| ParseManifestError::Malformed {
        digest: manifest.digest().clone(),
        source,
    })
}

fn children(index: &Map<String, Value>) -> &[Value] {
    let children = index.get("manifests").and_then(Value::as_array);
    children.map(Vec::as_slice).unwrap_or_default()
}

/// The digest of the image that an attestation is about; `None` for what is no attestation.
fn attested(child: &Value) -> Option<&Value> {
    child.get("annotations")?.get(ATTESTED)
}

fn platform(child: &Value) -> Option<Platform> {
    let platform = child.get("platform")?;
    let text = |name: &str| platform.get(name).and_then(Value::as_str);
    Some(Platform::new(
        text("os")?,
        text("architecture")?,
        text("variant"),
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn redis() -> (Manifest, [Value; 5]) {
        let child = |digest: &str, architecture: &str| {
            json!({
                "mediaType": media_type::DOCKER_MANIFEST,
                "digest": digest,
                "size": 1,
                "x-unknown": true,
                "platform": {"os": "linux", "architecture": architecture},
            })
        };
        let attestation = |about: &str| {
            json!({
                "digest": format!("attestation of {about}"),
                "annotations": {ATTESTED: about},
                "platform": {"os": "unknown", "architecture": "unknown"},
            })
        };
        let children = [
            child("a", "arm64"),
            child("b", "s390x"),
            child("c", "amd64"),
            attestation("a"),
            attestation("b"),
        ];
        let index = json!({
            "schemaVersion": 2,
            "manifests": children,
            "annotations": null,
            "x-top": 1,
        });
        let index = Manifest::new(media_type::DOCKER_LIST, index.to_string().into());
        (index, children)
    }

    fn marks() -> Marks {
        Marks {
            base_name: "docker.io/library/redis:7".to_owned(),
            base_digest: "sha256:base".to_owned(),
            recipe: "sha256:recipe".to_owned(),
        }
    }

    #[test]
    fn keeps_descriptors_as_they_are_and_their_attestations() {
        let (index, [a, b, c, about_a, _]) = redis();
        let platforms = ["linux/amd64", "linux/arm64"].map(|text| text.parse().unwrap());
        let filter = |platforms, attestations| {
            let choice = Choice {
                platforms,
                attestations,
            };
            assert!(!choice.is_all_of(&index));
            let filtered = choice.filter(&index, &marks()).unwrap();
            assert_eq!(filtered, choice.filter(&index, &marks()).unwrap());
            assert_eq!(filtered.media_type(), media_type::OCI_INDEX);
            assert!(choice.is_all_of(&filtered));
            serde_json::from_slice::<Value>(filtered.bytes()).unwrap()
        };
        let two = filter(Some(&platforms[..]), Attestations::Keep);
        assert_eq!(two["manifests"], json!([a, c, about_a]));
        assert_eq!(two["x-top"], 1);
        assert_eq!(two["annotations"]["longshore.recipe"], "sha256:recipe");
        let bare = filter(Some(&platforms[..]), Attestations::Drop);
        assert_eq!(bare["manifests"], json!([a, c]));
        let all = filter(None, Attestations::Drop);
        assert_eq!(all["manifests"], json!([a, b, c]));
    }

    #[test]
    fn what_is_wanted_whole_stays_what_it_is() {
        let (index, _) = redis();
        let platforms = ["linux/amd64", "linux/arm64", "linux/s390x"];
        let platforms = platforms.map(|text| text.parse().unwrap());
        let all = Choice {
            platforms: Some(&platforms),
            attestations: Attestations::Keep,
        };
        assert_eq!(all.filter(&index, &marks()).unwrap(), index);

        let image = Manifest::new(media_type::OCI_MANIFEST, "{}".into());
        let bare = Choice {
            platforms: None,
            attestations: Attestations::Drop,
        };
        assert_eq!(bare.filter(&image, &marks()).unwrap(), image);
        assert!(!all.is_all_of(&image));
    }
}
