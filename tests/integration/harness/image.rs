//! Upstream images, made on the spot from a static busybox.

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;
use std::{env, fs};

use longshore::image::Digest;
use serde_json::{Value, json};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// The label of every upstream image: the name of the test that made it. Docker's events about the
/// image, its containers and its children carry it.
pub(crate) const LABEL: &str = "longshore.test";

/// The one layer of every image, by the script that makes the demo's.
static LAYER: LazyLock<Layer> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/oci-layout");
    let status = Command::new(script)
        .arg(folder.path())
        .args(["busybox", "1"])
        .status();
    assert!(status.unwrap().success());
    let layout = folder.path().join("busybox");
    let blob = |descriptor: &Value| {
        let hex = descriptor["digest"].as_str().unwrap()["sha256:".len()..].to_owned();
        fs::read(layout.join("blobs/sha256").join(hex)).unwrap()
    };
    let parse = |bytes: Vec<u8>| serde_json::from_slice::<Value>(&bytes).unwrap();
    let index = parse(fs::read(layout.join("index.json")).unwrap());
    let manifest = parse(blob(&index["manifests"][0]));
    let config = parse(blob(&manifest["config"]));
    Layer {
        bytes: blob(&manifest["layers"][0]),
        diff_id: config["rootfs"]["diff_ids"][0].as_str().unwrap().to_owned(),
    }
});

struct Layer {
    bytes: Vec<u8>,
    diff_id: String,
}

/// A manifest with everything below it.
pub(crate) struct Image {
    pub(crate) manifest: Vec<u8>,
    pub(crate) blobs: Vec<Vec<u8>>,
    architecture: &'static str,
}

impl Image {
    /// An image for this machine. Equal arguments make equal images.
    pub(crate) fn new(test: &str, version: &str) -> Self {
        Self::of(test, version, Self::native())
    }

    /// The same for another architecture, by Go's name; its programs do not run here.
    pub(crate) fn of(test: &str, version: &str, architecture: &'static str) -> Self {
        let config = json!({
            "architecture": architecture,
            "os": "linux",
            "config": {
                "Cmd": ["sh"],
                "Env": ["PATH=/bin"],
                "Labels": {LABEL: test, "version": version},
            },
            "rootfs": {"type": "layers", "diff_ids": [LAYER.diff_id]},
            "history": [{"created_by": "busybox"}],
        });
        let config = config.to_string().into_bytes();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
            "layers": [descriptor("application/vnd.oci.image.layer.v1.tar+gzip", &LAYER.bytes)],
        });
        Self {
            manifest: manifest.to_string().into_bytes(),
            blobs: vec![config, LAYER.bytes.clone()],
            architecture,
        }
    }

    /// A manifest that is no container image: a chart, a signature.
    pub(crate) fn artifact(media_type: &str, config: &[u8]) -> Self {
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": descriptor(media_type, config),
            "layers": [],
        });
        Self {
            manifest: manifest.to_string().into_bytes(),
            blobs: vec![config.to_vec()],
            architecture: "",
        }
    }

    /// This machine's architecture, by Go's name.
    pub(crate) fn native() -> &'static str {
        match env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        }
    }

    /// An architecture that is not this machine's, by Go's name.
    pub(crate) fn foreign() -> &'static str {
        match Self::native() {
            "amd64" => "arm64",
            _ => "amd64",
        }
    }

    pub(crate) fn digest(&self) -> String {
        digest(&self.manifest)
    }
}

/// Images for several architectures under one name.
pub(crate) struct Index {
    pub(crate) manifest: Vec<u8>,
    pub(crate) images: Vec<Image>,
}

impl Index {
    pub(crate) fn new(images: Vec<Image>) -> Self {
        let entry = |image: &Image| {
            let mut entry = descriptor(MANIFEST, &image.manifest);
            entry["platform"] = json!({"architecture": image.architecture, "os": "linux"});
            entry
        };
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": INDEX,
            "manifests": images.iter().map(entry).collect::<Vec<_>>(),
        });
        Self {
            manifest: manifest.to_string().into_bytes(),
            images,
        }
    }

    pub(crate) fn digest(&self) -> String {
        digest(&self.manifest)
    }
}

pub(crate) fn digest(bytes: &[u8]) -> String {
    Digest::of(bytes).to_string()
}

/// The media type that a manifest gives itself.
pub(crate) fn media_type(manifest: &[u8]) -> String {
    let manifest: Value = serde_json::from_slice(manifest).unwrap();
    manifest["mediaType"].as_str().unwrap().to_owned()
}

fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": digest(bytes), "size": bytes.len()})
}
