//! Manifests that are no images of a platform, and indexes that list them, at the lab's upstream.

use longshore::image::{Digest, media_type};
use longshore::sandbox::layout::{write_blob, write_manifest};
use serde_json::{Value, json};

use super::Lab;

impl Lab {
    /// Puts a blob upstream, and returns its descriptor.
    pub(crate) fn offer_blob(&self, repository: &str, media_type: &str, bytes: &[u8]) -> Value {
        let digest = write_blob(&self.hub(), repository, bytes).unwrap();
        json!({"mediaType": media_type, "digest": digest, "size": bytes.len()})
    }

    /// Puts a manifest or index upstream, with or without a tag, and returns its descriptor.
    pub(crate) fn offer_manifest(
        &self,
        repository: &str,
        tag: Option<&str>,
        manifest: &Value,
    ) -> Value {
        let kind = manifest["mediaType"].as_str().unwrap();
        let text = manifest.to_string();
        let digest = write_manifest(&self.hub(), repository, tag, kind, text.as_bytes()).unwrap();
        json!({"mediaType": kind, "digest": digest, "size": text.len()})
    }

    /// A manifest with one blob of this type.
    pub(crate) fn artifact(&self, repository: &str, media_type: &str, content: &str) -> Value {
        json!({
            "schemaVersion": 2,
            "mediaType": media_type::OCI_MANIFEST,
            "config": self.offer_blob(repository, media_type::OCI_CONFIGURATION, b"{}"),
            "layers": [self.offer_blob(repository, media_type, content.as_bytes())],
        })
    }

    /// Puts a manifest upstream that refers to what this descriptor describes, and returns its own
    /// descriptor.
    pub(crate) fn offer_referrer(
        &self,
        repository: &str,
        subject: &Value,
        media_type: &str,
        content: &str,
    ) -> Value {
        let mut manifest = self.artifact(repository, media_type, content);
        manifest["artifactType"] = media_type.into();
        manifest["subject"] = subject.clone();
        self.offer_manifest(repository, None, &manifest)
    }

    /// Puts an index upstream: three platforms, an attestation of the first, and a field that
    /// nobody knows. Returns its text and its children's descriptors.
    pub(crate) fn offer_platforms(&self, repository: &str, tag: &str) -> (String, Vec<Value>) {
        let platforms = ["linux/amd64", "linux/arm64", "linux/s390x"];
        let mut children = platforms
            .map(|platform| self.offer_child(repository, platform))
            .to_vec();
        let attestation = self.artifact(repository, "application/vnd.in-toto+json", "provenance");
        let mut attestation = self.offer_manifest(repository, None, &attestation);
        attestation["annotations"] = json!({
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": children[0]["digest"],
        });
        attestation["platform"] = json!({"os": "unknown", "architecture": "unknown"});
        children.push(attestation);
        let index = json!({
            "schemaVersion": 2,
            "mediaType": media_type::OCI_INDEX,
            "x-unknown": {"kept": [1, 2.0]},
            "manifests": children,
        });
        // Neither the order of the keys nor the white space is what a program would write again.
        let text = format!("{index:#}\n\n");
        self.offer_index(repository, tag, &text);
        (text, children)
    }

    /// How often the upstream sent a manifest since the last call for requests: what Docker Hub
    /// counts.
    pub(crate) fn pulls(&self, digest: &Digest) -> usize {
        let path = format!("/manifests/{digest}");
        let requests = self.log();
        let is_pull = |request: &&longshore::sandbox::Request| {
            request.at == longshore::sandbox::Server::Upstream
                && request.method == "GET"
                && request.path_and_query.ends_with(&path)
        };
        requests.iter().filter(is_pull).count()
    }
}

/// The digest that a descriptor names.
pub(crate) fn digest_of(descriptor: &Value) -> Digest {
    descriptor["digest"].as_str().unwrap().parse().unwrap()
}
