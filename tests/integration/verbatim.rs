//! What is copied are the bytes, whatever is in them.

use longshore::image::{Digest, media_type};
use longshore::sandbox::layout::write_manifest;
use serde_json::{Value, json};

use crate::harness::Lab;

const REDIS: &str = "library/redis";

/// Puts a manifest upstream in a spelling that no program would choose, and returns its
/// descriptor.
fn offer(lab: &Lab, tag: Option<&str>, kind: &str, manifest: &Value) -> Value {
    let text = format!("\n{manifest:#}\n\n");
    let digest = write_manifest(&lab.hub(), REDIS, tag, kind, text.as_bytes()).unwrap();
    json!({"mediaType": kind, "digest": digest, "size": text.len(), "x-unknown": "descriptor"})
}

/// A manifest with a field that nobody knows. One of OCI's need not say what it is.
fn image(lab: &Lab, kind: &str, content: &str) -> Value {
    let (config, layer) = match kind {
        media_type::DOCKER_MANIFEST => (
            media_type::DOCKER_CONFIGURATION,
            "application/vnd.docker.image.rootfs.diff.tar.gzip",
        ),
        _ => (
            media_type::OCI_CONFIGURATION,
            "application/vnd.oci.image.layer.v1.tar+zstd",
        ),
    };
    let mut manifest = json!({
        "schemaVersion": 2,
        "x-unknown": {"number": 1.0, "list": [null, "\u{e9}"]},
        "config": lab.offer_blob(REDIS, config, br#"{"os": "linux", "architecture": "amd64"}"#),
        "layers": [lab.offer_blob(REDIS, layer, content.as_bytes())],
    });
    if kind == media_type::DOCKER_MANIFEST {
        manifest["mediaType"] = kind.into();
    }
    offer(lab, None, kind, &manifest)
}

fn index(kind: &str, children: &[&Value]) -> Value {
    json!({"schemaVersion": 2, "mediaType": kind, "manifests": children, "x-unknown": [kind]})
}

#[track_caller]
fn assert_same(lab: &Lab, descriptors: &[&Value]) {
    for descriptor in descriptors {
        let digest = descriptor["digest"].as_str().unwrap();
        let held = lab.manifest("redis", digest).unwrap();
        let digest: Digest = digest.parse().unwrap();
        assert_eq!(held.as_bytes(), lab.upstream_bytes(REDIS, &digest));
    }
}

#[test]
fn an_index_of_indexes_stays_what_it_is() {
    let lab = Lab::new();
    lab.write("images: ['redis:7']\n");
    let one = image(&lab, media_type::OCI_MANIFEST, "one");
    let two = image(&lab, media_type::DOCKER_MANIFEST, "two");
    let list = index(media_type::DOCKER_LIST, &[&two]);
    let list = offer(&lab, None, media_type::DOCKER_LIST, &list);
    let inner = index(media_type::OCI_INDEX, &[&one, &list]);
    let inner = offer(&lab, None, media_type::OCI_INDEX, &inner);
    let outer = index(media_type::OCI_INDEX, &[&inner, &one]);
    let outer = offer(&lab, Some("7"), media_type::OCI_INDEX, &outer);
    lab.applies(&["done"]);
    assert_eq!(lab.digest("redis", "7").unwrap().as_str(), outer["digest"]);
    assert_same(&lab, &[&outer, &inner, &list, &one, &two]);
    lab.applies(&["in place"]);
}

#[test]
fn dockers_own_types_stay_dockers() {
    let lab = Lab::new();
    lab.write("images: ['redis:7']\n");
    let child = image(&lab, media_type::DOCKER_MANIFEST, "layer");
    let list = index(media_type::DOCKER_LIST, &[&child]);
    let list = offer(&lab, Some("7"), media_type::DOCKER_LIST, &list);
    lab.applies(&["done"]);
    assert_same(&lab, &[&list, &child]);
    assert_eq!(lab.digest("redis", "7").unwrap().as_str(), list["digest"]);
    lab.applies(&["in place"]);
}

#[test]
fn a_layer_that_is_kept_elsewhere_is_left_there() {
    let lab = Lab::new();
    lab.write("images: ['redis:7']\n");
    let elsewhere = json!({
        "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "digest": Digest::of(b"Windows"),
        "size": 1_000_000_000,
        "urls": ["https://elsewhere.example/windows"],
    });
    let own = "application/vnd.docker.image.rootfs.diff.tar.gzip";
    // An ordinary layer belongs to its registry, wherever else it is.
    let mut also_elsewhere = lab.offer_blob(REDIS, own, b"everywhere");
    also_elsewhere["urls"] = json!(["https://elsewhere.example/layer"]);
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": media_type::DOCKER_MANIFEST,
        "config": lab.offer_blob(REDIS, media_type::DOCKER_CONFIGURATION, b"{}"),
        "layers": [elsewhere, lab.offer_blob(REDIS, own, b"ours"), also_elsewhere],
    });
    let image = offer(&lab, Some("7"), media_type::DOCKER_MANIFEST, &manifest);
    lab.applies(&["done"]);
    assert_same(&lab, &[&image]);
    let requests = lab.requests();
    let downloads = requests
        .iter()
        .filter(|line| line.contains("GET library/redis blob"));
    assert_eq!(downloads.count(), 3);
}

#[test]
fn a_cache_or_an_image_of_schema_1_is_named_for_what_it_is() {
    let lab = Lab::new();
    let layer = "application/vnd.oci.image.layer.v1.tar+gzip";
    let cache = index(
        media_type::OCI_INDEX,
        &[
            &lab.offer_blob(REDIS, layer, b"layer"),
            &lab.offer_blob(REDIS, media_type::BUILDKIT_CACHE, b"{}"),
        ],
    );
    offer(&lab, Some("cache"), media_type::OCI_INDEX, &cache);
    let old = json!({"schemaVersion": 1, "name": "redis", "tag": "1", "fsLayers": []});
    offer(&lab, Some("1"), media_type::SCHEMA_1[0], &old);
    let cases = [
        (
            "redis:cache",
            "it is a BuildKit cache and no image",
            "leave the tag out; a cache in ECR is written there by BuildKit itself",
        ),
        (
            "redis:1",
            "it has Docker's manifest schema 1",
            "write the image anew once, as `skopeo copy --format v2s2` does",
        ),
    ];
    for (source, told, hint) in cases {
        for choice in ["", ", platforms: [linux/amd64]", ", attestations: drop"] {
            lab.write(&format!("images: [{{source: '{source}'{choice}}}]\n"));
            lab.requests();
            let run = lab.longshore(&["apply"]).run().exits(1);
            run.says(&[told, &format!("hint: {hint}")]);
            let requests = lab.requests();
            let moved = |line: &&String| line.starts_with("registry ");
            assert_eq!(requests.iter().find(moved), None, "{source}{choice}");
        }
    }
}
