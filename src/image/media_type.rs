//! The media types of manifests, and the `Accept` header that asks for all of them.

use super::Descriptor;

/// OCI image index.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// OCI image manifest.
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Docker manifest list, version 2.
pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// Docker image manifest, version 2 schema 2.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// Docker image manifests of schema 1, with and without a signature. Registries have them still, and
/// send them whatever they are asked for.
pub const SCHEMA_1: [&str; 2] = [
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
    "application/vnd.docker.distribution.manifest.v1+json",
];

/// What describes a BuildKit cache, among the layers in its index.
pub const BUILDKIT_CACHE: &str = "application/vnd.buildkit.cacheconfig.v0";

/// OCI image configuration.
pub const OCI_CONFIGURATION: &str = "application/vnd.oci.image.config.v1+json";
/// Docker image configuration.
pub const DOCKER_CONFIGURATION: &str = "application/vnd.docker.container.image.v1+json";

/// All four manifest types. ECR converts a manifest whose type is not asked for, and the digest
/// changes with it, so every manifest request carries all of them.
pub const ACCEPT_MANIFESTS: [&str; 4] = [OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST];

/// Whether a media type is that of an index: a list of manifests, one per platform.
pub fn is_index(media_type: &str) -> bool {
    media_type == OCI_INDEX || media_type == DOCKER_LIST
}

/// Docker's media types of layers, and what OCI calls the same blobs.
const LAYERS: [(&str, &str); 3] = [
    (
        "application/vnd.docker.image.rootfs.diff.tar.gzip",
        "application/vnd.oci.image.layer.v1.tar+gzip",
    ),
    (
        "application/vnd.docker.image.rootfs.diff.tar",
        "application/vnd.oci.image.layer.v1.tar",
    ),
    (
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    ),
];

/// Whether a layer is kept elsewhere, so that a registry takes its manifest without it: one of
/// Docker's foreign or OCI's non-distributable ones that says where it is.
pub fn is_foreign(layer: &Descriptor) -> bool {
    let media_type: &str = layer.media_type().as_ref();
    let is_elsewhere = layer.urls().as_ref().is_some_and(|urls| !urls.is_empty());
    is_elsewhere
        && (media_type.starts_with("application/vnd.docker.image.rootfs.foreign.")
            || media_type.starts_with("application/vnd.oci.image.layer.nondistributable."))
}

/// What OCI calls a layer of Docker's media type; `None` for every other type.
pub fn oci_layer(docker: &str) -> Option<&'static str> {
    let found = LAYERS.iter().find(|(name, _)| *name == docker);
    found.map(|(_, oci)| *oci)
}
