//! The short way out of a daemon on this machine: it pushes to longshore, which says that it has
//! the base's layers, so that none of them is read, let alone compressed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _};

use bytes::Bytes;
use serde::Deserialize;
use tracing::debug;

use super::layer::{LayerSettings, Spooled};
use super::reception::Reception;
use super::{Export, ExportError, ExportRequest};
use crate::docker::connection::Docker;
use crate::docker::error::Error;
use crate::image::{Content, Digest, Manifest, media_type};

const TAG: &str = "latest";

/// What a configuration says of its layers.
#[derive(Deserialize)]
struct Configuration {
    rootfs: RootFs,
}

#[derive(Deserialize)]
struct RootFs {
    diff_ids: Vec<Digest>,
}

/// What a push brought.
struct Delivery {
    manifest: Bytes,
    blobs: BTreeMap<Digest, File>,
}

impl Docker {
    /// Exports an image by way of a push, for which it gets a name that `named` hears of; `None` where
    /// the daemon does not find this process on its loopback, or has forgotten where a layer came
    /// from and what is its digest there.
    pub(super) async fn hand_over(
        &self,
        request: ExportRequest<'_>,
        named: &(dyn Fn(String) + Send + Sync),
    ) -> Option<Export> {
        if !self.is_on_this_machine() {
            return None;
        }
        let reception = Reception::open(request.known.clone()).await.ok()?;
        let repository = reception.repository();
        let id = request.id.to_string();
        named(format!("{repository}:{TAG}"));
        let pushed = self.push_to(&repository, &id).await;
        let pushed = pushed.inspect_err(|error| debug!(%error, id, "was not handed over"));
        let (manifest, blobs) = pushed.ok().and_then(|()| reception.finish())?;
        let delivery = Delivery { manifest, blobs };
        let (base_layers, settings) = (request.base_layers, request.settings);
        let wanted = request.id.clone();
        let unpacked =
            tokio::task::spawn_blocking(move || delivery.unpack(&wanted, base_layers, settings));
        match unpacked.await.ok()? {
            Ok(export) => export,
            Err(error) => {
                debug!(%error, id, "what was handed over cannot be used");
                None
            }
        }
    }

    async fn push_to(&self, repository: &str, id: &str) -> Result<(), Error> {
        self.tag(id, repository, TAG).await?;
        let digest = self.push(repository, TAG, None, &mut |_| ()).await?;
        debug!(%digest, id, "was handed over");
        Ok(())
    }
}

impl Delivery {
    /// The configuration and the new layers, of exactly the image that was wanted.
    fn unpack(
        self,
        wanted: &Digest,
        base_layers: usize,
        settings: LayerSettings,
    ) -> Result<Option<Export>, ExportError> {
        let manifest = Manifest::new(media_type::OCI_MANIFEST, self.manifest.clone());
        let Ok(Content::Image(image)) = manifest.content() else {
            return Ok(None);
        };
        let config = Digest::try_from(image.config()).ok();
        // The ID is that of the manifest where the daemon keeps images in containerd.
        let Some(config) = config.filter(|config| config == wanted || manifest.digest() == wanted)
        else {
            return Ok(None);
        };
        let Some(mut blob) = self.blob(&config)? else {
            return Ok(None);
        };
        let mut configuration = Vec::new();
        blob.read_to_end(&mut configuration)?;
        let content: Configuration =
            serde_json::from_slice(&configuration).map_err(|error| ExportError::Malformed {
                what: error.to_string(),
            })?;
        let diff_ids = content.rootfs.diff_ids;
        if image.layers().len() != diff_ids.len() {
            return Ok(None);
        }
        let mut layers = Vec::new();
        for (layer, diff_id) in image.layers().iter().zip(diff_ids).skip(base_layers) {
            let Ok(digest) = Digest::try_from(layer) else {
                return Ok(None);
            };
            // A new layer that equals one of the base's was not sent.
            let Some(file) = self.blob(&digest)? else {
                return Ok(None);
            };
            let spooled = Spooled::of(digest, file)?;
            if spooled.diff_id != diff_id {
                return Err(ExportError::Malformed {
                    what: format!("a layer is `{}` and not `{diff_id}`", spooled.diff_id),
                });
            }
            layers.push(spooled.write(settings)?);
        }
        Ok(Some(Export {
            configuration: configuration.into(),
            layers,
        }))
    }

    /// A blob from its beginning, however often it was read: layers may be equal.
    fn blob(&self, digest: &Digest) -> io::Result<Option<File>> {
        let Some(blob) = self.blobs.get(digest) else {
            return Ok(None);
        };
        let mut blob = blob.try_clone()?;
        blob.rewind()?;
        Ok(Some(blob))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::io::Write as _;
    use std::path::Path;
    use std::sync::Mutex;

    use serde_json::json;

    use super::*;
    use crate::docker::address::Address;
    use crate::docker::export::Compression;
    use crate::docker::fake::Fake;

    const SETTINGS: LayerSettings = LayerSettings {
        latest: Some(0),
        compression: Compression::Gzip,
    };

    /// An archive of some files.
    fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for (name, content) in files {
            let mut header = tar::Header::new_ustar();
            header.set_size(content.len() as u64);
            archive.append_data(&mut header, name, *content).unwrap();
        }
        archive.into_inner().unwrap()
    }

    fn layer(file: &str) -> Vec<u8> {
        archive(&[(file, b"x")])
    }

    /// The push of an image with a base of one layer, of which the daemon sends no blob.
    struct Push {
        /// The new layers as they are sent.
        layers: Vec<Vec<u8>>,
        /// What the configuration says of them.
        diff_ids: Vec<Digest>,
    }

    impl Push {
        fn new(files: &[&str]) -> Self {
            let layers: Vec<_> = files.iter().map(|file| layer(file)).collect();
            Self {
                diff_ids: layers.iter().map(|layer| Digest::of(layer)).collect(),
                layers,
            }
        }

        fn configuration(&self) -> Vec<u8> {
            let base = [Digest::of(b"content of the base")];
            let diff_ids: Vec<_> = base.iter().chain(&self.diff_ids).collect();
            let configuration = json!({"rootfs": {"type": "layers", "diff_ids": diff_ids}});
            configuration.to_string().into_bytes()
        }

        fn manifest(&self) -> Bytes {
            let blob = |media_type: &str, bytes: &[u8]| json!({"mediaType": media_type, "digest": Digest::of(bytes), "size": bytes.len()});
            let layer = |bytes: &[u8]| blob("application/vnd.oci.image.layer.v1.tar", bytes);
            let new = self.layers.iter().map(|bytes| layer(bytes));
            let layers: Vec<_> = [layer(b"blob of the base")]
                .into_iter()
                .chain(new)
                .collect();
            let manifest = json!({
                "schemaVersion": 2,
                "mediaType": media_type::OCI_MANIFEST,
                "config": blob(media_type::OCI_CONFIGURATION, &self.configuration()),
                "layers": layers,
            });
            manifest.to_string().into()
        }

        fn delivery(&self) -> Delivery {
            let configuration = self.configuration();
            let blobs = self.layers.iter().chain([&configuration]);
            let spooled = |bytes: &Vec<u8>| {
                let mut file = tempfile::tempfile().unwrap();
                file.write_all(bytes).unwrap();
                file.rewind().unwrap();
                (Digest::of(bytes), file)
            };
            Delivery {
                manifest: self.manifest(),
                blobs: blobs.map(spooled).collect(),
            }
        }

        /// The digests of what is in the layers that come of it.
        fn unpack(&self, wanted: &Digest) -> Result<Option<Vec<Digest>>, ExportError> {
            let export = self.delivery().unpack(wanted, 1, SETTINGS)?;
            let diff_ids = |export: Export| {
                assert_eq!(export.configuration, self.configuration());
                let layers = export.layers.into_iter();
                layers.map(|layer| layer.diff_id).collect()
            };
            Ok(export.map(diff_ids))
        }
    }

    #[test]
    fn new_layers_are_taken_and_those_of_the_base_are_not_missed() {
        let push = Push::new(&["one", "other", "one"]);
        // Docker knows the image by its configuration, or by its manifest.
        for id in [push.configuration(), push.manifest().to_vec()] {
            let taken = push.unpack(&Digest::of(&id)).unwrap().unwrap();
            assert_eq!(taken, push.diff_ids);
        }
    }

    #[test]
    fn another_image_is_not_taken() {
        let push = Push::new(&["one"]);
        let id = Digest::of(&push.configuration());
        assert!(push.unpack(&Digest::of(b"another")).unwrap().is_none());
        let mut lacks_a_layer = push.delivery();
        lacks_a_layer.blobs.remove(&push.diff_ids[0]).unwrap();
        let mut lacks_the_configuration = push.delivery();
        lacks_the_configuration.blobs.remove(&id).unwrap();
        let mut is_none = push.delivery();
        is_none.manifest = Bytes::from_static(b"no manifest");
        // Whoever is on this machine may push here, too.
        let mut is_shorter = push.delivery();
        let mut manifest: serde_json::Value = serde_json::from_slice(&push.manifest()).unwrap();
        manifest["layers"].as_array_mut().unwrap().pop();
        is_shorter.manifest = manifest.to_string().into();
        for delivery in [lacks_a_layer, lacks_the_configuration, is_none, is_shorter] {
            assert!(delivery.unpack(&id, 1, SETTINGS).unwrap().is_none());
        }
    }

    #[test]
    fn a_layer_that_the_configuration_does_not_name_is_an_error() {
        let mut push = Push::new(&["one"]);
        push.diff_ids = vec![Digest::of(b"another")];
        let error = push.unpack(&Digest::of(&push.configuration())).unwrap_err();
        let expected = format!(
            "it is malformed: a layer is `{}` and not `{}`",
            Digest::of(&layer("one")),
            Digest::of(b"another")
        );
        assert_eq!(error.to_string(), expected);
    }

    /// A daemon that says it pushed, and did not, or not where it was told to.
    #[tokio::test]
    async fn what_does_not_come_is_saved() {
        let id = Digest::of(b"{}");
        let contents = br#"[{"Config":"c.json","Layers":[]}]"#;
        let archive = archive(&[("c.json", b"{}"), ("manifest.json", contents)]);
        let archive = String::from_utf8(archive).unwrap();
        let good = format!("{{\"status\":\"latest: digest: {id} size: 2\"}}\n");
        let refused = "{\"errorDetail\":{\"message\":\"dial tcp: connection refused\"}}\n";
        for (tagged, answer) in [(201, &*good), (201, refused), (500, "")] {
            let tag = format!("POST /v1.41/images/{id}/tag");
            let save = format!("GET /v1.41/images/{id}/get");
            let push = "POST /v1.41/images/127.0.0.1:";
            let answers = [
                (&*tag, tagged, ""),
                (push, 200, answer),
                (&*save, 200, &*archive),
            ];
            let fake = Fake::start("1.41", &answers).await;
            let mut docker = fake.connect(&[]).await;
            let heard = Mutex::new(Vec::new());
            let named = |name| heard.lock().unwrap().push(name);
            let request = ExportRequest {
                id: &id,
                base_layers: 0,
                known: &BTreeSet::new(),
                settings: SETTINGS,
                named: Some(&named),
            };
            // A daemon elsewhere has another loopback.
            docker.export(request).await.unwrap();
            assert_eq!(fake.lines()[1..], [&*save]);
            assert_eq!(heard.lock().unwrap().len(), 0);

            docker.address =
                Address::parse("unix:///run/docker.sock", Path::new(""), false).unwrap();
            let export = docker.export(request).await.unwrap();
            assert_eq!(export.configuration, "{}");
            let name = heard.lock().unwrap().remove(0);
            let (repository, _) = name.rsplit_once(":latest").unwrap();
            let in_query = repository.replace(':', "%3A").replace('/', "%2F");
            let push = format!("POST /v1.41/images/{repository}/push?tag=latest");
            let mut expected = vec![format!("{tag}?repo={in_query}&tag=latest"), push, save];
            if tagged == 500 {
                expected.remove(1);
            }
            assert_eq!(fake.lines()[2..], expected);
        }
    }
}
