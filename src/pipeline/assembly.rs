//! A built, derived or exported image, put together for the registry: the upstream's own layers, then
//! the new ones.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::docker::{Export, Layer};
use crate::failure::{Failure, Kind};
use crate::image::{Descriptor, Digest, ImageConfiguration, Manifest, media_type};

use super::base_image::BaseImage;
use super::marks::Marks;

/// What the daemon writes into a configuration that no other build would write again: its own
/// version and the containers and images on the way.
const OF_THE_BUILD: [&str; 3] = ["container", "container_config", "docker_version"];

/// An image of one platform as the registry will have it.
#[derive(Clone, Debug)]
pub(super) struct Assembly {
    /// The configuration.
    pub(super) configuration: Bytes,
    /// The layers that the upstream lacks.
    pub(super) layers: Vec<Layer>,
    /// The manifest that names all of them.
    pub(super) manifest: Manifest,
}

/// What the daemon gave out does not fit together.
#[derive(Debug, thiserror::Error)]
pub(super) enum AssemblyError {
    /// The configuration is none.
    #[error("the image's configuration is malformed")]
    Malformed(#[from] serde_json::Error),
    /// The built image does not begin with the base's layers.
    #[error("the built image does not start with its base's layers")]
    OtherLayers,
    /// The configuration names other layers than the daemon gave out.
    #[error("the configuration names other layers than the Docker daemon exported")]
    Unnamed,
}

impl Failure for AssemblyError {
    fn kind(&self) -> Kind {
        Kind::Permanent
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ImageManifest<'a> {
    schema_version: u8,
    media_type: &'a str,
    config: Value,
    layers: Vec<Value>,
    annotations: BTreeMap<String, String>,
}

impl Assembly {
    /// Puts together what the daemon built. Nothing in the result tells when or where: the same
    /// recipe on the same base gives the same bytes wherever the lines leave the same files.
    pub(super) fn of_build(
        base: &BaseImage,
        base_digest: &Digest,
        export: Export,
        marks: &Marks,
        source_date_epoch: Option<u64>,
    ) -> Result<Self, AssemblyError> {
        let (_, created) = base.time(source_date_epoch);
        let mut document = reproducible(&export, base, &created)?;
        put_on(&mut document, marks.labels(base_digest));
        let configuration = serde_json::to_vec(&document)?;
        Ok(Self::new(base, configuration, export.layers, marks)?)
    }

    /// Puts together an image as the daemon has it: no byte of its configuration changes.
    pub(super) fn of_image(export: Export, marks: &Marks) -> Result<Self, AssemblyError> {
        let configuration: ImageConfiguration = serde_json::from_slice(&export.configuration)?;
        let named = configuration.rootfs().diff_ids().iter().map(String::as_str);
        if !named.eq(export.layers.iter().map(|layer| layer.diff_id.as_str())) {
            return Err(AssemblyError::Unnamed);
        }
        let configuration = export.configuration.to_vec();
        Ok(Self::join(&[], configuration, export.layers, marks)?)
    }

    /// Puts together a configuration and the base's own layers.
    pub(super) fn of_derivation(
        base: &BaseImage,
        configuration: Vec<u8>,
        marks: &Marks,
    ) -> Result<Self, AssemblyError> {
        Ok(Self::new(base, configuration, Vec::new(), marks)?)
    }

    fn new(
        base: &BaseImage,
        configuration: Vec<u8>,
        layers: Vec<Layer>,
        marks: &Marks,
    ) -> Result<Self, serde_json::Error> {
        Self::join(base.manifest.layers(), configuration, layers, marks)
    }

    fn join(
        base_layers: &[Descriptor],
        configuration: Vec<u8>,
        layers: Vec<Layer>,
        marks: &Marks,
    ) -> Result<Self, serde_json::Error> {
        let digest = Digest::of(&configuration);
        let base_layers = base_layers.iter().map(base_layer);
        let new_layers = layers
            .iter()
            .map(|layer| Ok(descriptor(layer.media_type, &layer.digest, layer.size)));
        let manifest = ImageManifest {
            schema_version: 2,
            media_type: media_type::OCI_MANIFEST,
            config: descriptor(
                media_type::OCI_CONFIGURATION,
                &digest,
                configuration.len() as u64,
            ),
            layers: base_layers.chain(new_layers).collect::<Result<_, _>>()?,
            annotations: marks.write(),
        };
        let manifest = Bytes::from(serde_json::to_vec(&manifest)?);
        Ok(Self {
            configuration: configuration.into(),
            layers,
            manifest: Manifest::new(media_type::OCI_MANIFEST, manifest),
        })
    }
}

fn descriptor(media_type: &str, digest: &Digest, size: u64) -> Value {
    serde_json::json!({ "mediaType": media_type, "digest": digest, "size": size })
}

/// A base's layer in an OCI manifest: the same blob, whatever Docker calls its type.
fn base_layer(layer: &Descriptor) -> Result<Value, serde_json::Error> {
    let mut descriptor = serde_json::to_value(layer)?;
    let docker = layer.media_type().to_string();
    if let Some(oci) = media_type::oci_layer(&docker) {
        descriptor["mediaType"] = oci.into();
    }
    Ok(descriptor)
}

/// The configuration with the new layers as they were written anew, and without what differs from
/// one build to the next.
fn reproducible(
    export: &Export,
    base: &BaseImage,
    created: &str,
) -> Result<Map<String, Value>, AssemblyError> {
    let mut document: Map<String, Value> = serde_json::from_slice(&export.configuration)?;
    let diff_ids = document
        .get_mut("rootfs")
        .and_then(|rootfs| rootfs.get_mut("diff_ids"))
        .and_then(Value::as_array_mut)
        .ok_or(AssemblyError::OtherLayers)?;
    let base_ids = base.diff_ids.iter().map(Digest::as_str);
    let is_base = diff_ids.iter().map(Value::as_str).zip(base_ids);
    let starts_with_base = is_base.filter(|(built, base)| *built == Some(base)).count();
    if starts_with_base != base.diff_ids.len()
        || diff_ids.len() != base.diff_ids.len() + export.layers.len()
    {
        return Err(AssemblyError::OtherLayers);
    }
    let new = export.layers.iter().map(|layer| layer.diff_id.as_str());
    diff_ids.truncate(base.diff_ids.len());
    diff_ids.extend(new.map(Value::from));

    for key in OF_THE_BUILD {
        document.remove(key);
    }
    if let Some(Value::Object(config)) = document.get_mut("config") {
        config.remove("Image");
    }
    document.insert("created".to_owned(), created.into());
    if let Some(Value::Array(history)) = document.get_mut("history") {
        for entry in history.iter_mut().skip(base.history) {
            entry["created"] = created.into();
        }
    }
    Ok(document)
}

/// Adds labels without a word in the history, as BuildKit does.
fn put_on(document: &mut Map<String, Value>, labels: BTreeMap<String, String>) {
    let config = member(document, "config");
    let labels = labels.into_iter().map(|(name, text)| (name, text.into()));
    member(config, "Labels").extend(labels);
}

/// An object within an object; Go writes `null` for one without members.
fn member<'a>(object: &'a mut Map<String, Value>, name: &str) -> &'a mut Map<String, Value> {
    let value = object.entry(name).or_insert(Value::Null);
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().expect("it was made one")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn marks() -> Marks {
        Marks {
            base_name: "docker.io/library/mongo:7".to_owned(),
            base_digest: Digest::of(b"index").to_string(),
            recipe: "recipe".to_owned(),
        }
    }

    #[test]
    fn what_does_not_fit_together_is_told() {
        let layer = |name: &str| Digest::of(name.as_bytes());
        let manifest = json!({
            "schemaVersion": 2,
            "config": {"mediaType": media_type::OCI_CONFIGURATION, "digest": layer("c"), "size": 1},
            "layers": [],
        });
        let base = BaseImage {
            manifest: serde_json::from_value(manifest).unwrap(),
            configuration: Bytes::new(),
            diff_ids: vec![layer("a"), layer("b")],
            history: 0,
            created: (0, "1970-01-01T00:00:00Z".to_owned()),
        };
        let export = |configuration: Value| Export {
            configuration: configuration.to_string().into(),
            layers: Vec::new(),
        };
        let of_layers = |layers: &[&str]| {
            let layers: Vec<_> = layers.iter().map(|name| layer(name)).collect();
            let rootfs = json!({"type": "layers", "diff_ids": layers});
            export(json!({"os": "linux", "architecture": "arm64", "rootfs": rootfs}))
        };
        let build = |export| {
            let assembly = Assembly::of_build(&base, &layer("p"), export, &marks(), None);
            assembly.map(drop).map_err(|error| error.to_string())
        };
        assert_eq!(build(of_layers(&["a", "b"])), Ok(()));
        let other = Err("the built image does not start with its base's layers".to_owned());
        // One that is another, one too few, one that the daemon did not export, and none at all.
        for layers in [&["a", "c"][..], &["a"], &["a", "b", "c"], &[]] {
            assert_eq!(build(of_layers(layers)), other, "{layers:?}");
        }
        assert_eq!(build(export(json!({}))), other);
        let malformed = Err("the image's configuration is malformed".to_owned());
        assert_eq!(build(export(json!([]))), malformed);

        let image = |export| {
            let assembly = Assembly::of_image(export, &marks());
            assembly.map(drop).map_err(|error| error.to_string())
        };
        assert_eq!(image(of_layers(&[])), Ok(()));
        let unnamed = "the configuration names other layers than the Docker daemon exported";
        assert_eq!(image(of_layers(&["a"])), Err(unnamed.to_owned()));
        assert_eq!(image(export(json!([]))), malformed);
    }
}
