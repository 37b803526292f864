"""Images that are made on the spot: equal arguments make equal bytes, which do not compress."""

import gzip
import hashlib
import http.client
import io
import json
import random
import ssl
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

MIB = 1024 * 1024
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
PLATFORMS = ("amd64", "arm64")


@dataclass(frozen=True)
class Image:
    """A tag of a repository, as sizes of layers in bytes. Layers of one name and size are the same
    everywhere; a name in which `{}` stands is each platform's own."""

    repository: str
    tag: str
    layers: tuple[tuple[str, int], ...]
    platforms: tuple[str, ...] = PLATFORMS[:1]


@dataclass
class Corpus:
    """A set of images and what they are called in the table."""

    name: str
    title: str
    images: list[Image]
    digests: dict[tuple[str, str], str] = field(default_factory=dict)

    def repositories(self) -> dict[str, list[str]]:
        """The tags of each repository."""
        found: dict[str, list[str]] = {}
        for image in self.images:
            found.setdefault(image.repository, []).append(image.tag)
        return found


def large() -> Corpus:
    """One image of 360 MB."""
    sizes = (200, 90, 45, 15, 8, 2)
    layers = tuple((f"large {size}", size * 1000 * 1000) for size in sizes)
    return Corpus("large", "one image of 360 MB", [Image("large", "v1", layers)])


def base() -> Corpus:
    """The same image, with a shell in it."""
    shell = "/bin/busybox"
    (image,) = large().images
    layers = ((shell, Path(shell).stat().st_size), *image.layers)
    return Corpus("base", "an image of 360 MB", [Image("base", "v1", layers)])


def tags() -> Corpus:
    """Sixty tags in six repositories, each an index of two platforms: a base that all tags of a
    repository share, a runtime that five share, and a small layer of the tag's own."""
    images = []
    for number in range(60):
        repository, version = f"service-{number // 10}", number % 10
        layers = (
            (f"{repository} base {{}}", 2 * MIB),
            (f"{repository} runtime {version // 5} {{}}", MIB),
            (f"{repository} application {version} {{}}", 64 * 1024),
        )
        images.append(Image(repository, f"v1.{version}", layers, PLATFORMS))
    return Corpus("tags", "60 tags of 6 repositories", images)


def shared() -> Corpus:
    """Eight images in eight repositories that share all but their last layer."""
    common = tuple((f"common {size}", size * MIB) for size in (24, 12, 4))
    images = [
        Image(f"shared-{number}", "v1", (*common, (f"own {number}", MIB))) for number in range(8)
    ]
    return Corpus("shared", "8 images that share layers", images)


def _layer(name: str, size: int) -> tuple[bytes, str]:
    """A compressed layer with one file, and the digest of what it is uncompressed. A name that is a
    path brings the file that this machine has there."""
    is_path = name.startswith("/")
    content = Path(name).read_bytes() if is_path else random.Random(name).randbytes(size)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo(name[1:] if is_path else "data")
        entry.size = size
        entry.mode = 0o755
        tar.addfile(entry, io.BytesIO(content))
    # Random bytes stay as large however hard one tries.
    packed = gzip.compress(archive.getvalue(), compresslevel=0, mtime=0)
    return packed, digest(archive.getvalue())


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Pusher:
    """Writes images to a registry."""

    def __init__(self, host: str, context: ssl.SSLContext) -> None:
        self.connection = http.client.HTTPSConnection(host, context=context)
        self.layers: dict[tuple[str, int], tuple[bytes, str]] = {}
        self.pushed: set[tuple[str, str]] = set()

    def push(self, corpus: Corpus) -> None:
        for image in corpus.images:
            children = [self._platform(image, platform) for platform in image.platforms]
            if len(children) == 1:
                body, media_type = children[0][0], MANIFEST
            else:
                for content, _ in children:
                    self._put_manifest(image.repository, digest(content), content, MANIFEST)
                listed = [
                    {**_descriptor(content, MANIFEST), "platform": _platform(platform)}
                    for content, platform in children
                ]
                body, media_type = _json(schemaVersion=2, mediaType=INDEX, manifests=listed), INDEX
            self._put_manifest(image.repository, image.tag, body, media_type)
            corpus.digests[image.repository, image.tag] = digest(body)
        self.layers.clear()

    def _platform(self, image: Image, platform: str) -> tuple[bytes, str]:
        descriptors, diff_ids = [], []
        for name, size in image.layers:
            key = (name.format(platform), size)
            if key not in self.layers:
                self.layers[key] = _layer(*key)
            packed, diff_id = self.layers[key]
            self._put_blob(image.repository, packed)
            descriptors.append(_descriptor(packed, LAYER))
            diff_ids.append(diff_id)
        config = _json(
            **_platform(platform),
            config={"Labels": {"image": f"{image.repository}:{image.tag}"}},
            rootfs={"type": "layers", "diff_ids": diff_ids},
        )
        self._put_blob(image.repository, config)
        manifest = _json(
            schemaVersion=2,
            mediaType=MANIFEST,
            config=_descriptor(config, CONFIG),
            layers=descriptors,
        )
        return manifest, platform

    def _put_blob(self, repository: str, content: bytes) -> None:
        key = (repository, digest(content))
        if key in self.pushed:
            return
        place = self._send("POST", f"/v2/{repository}/blobs/uploads/", b"")["Location"]
        path = place[place.index("/v2/") :]
        glue = "&" if "?" in path else "?"
        headers = {"Content-Type": "application/octet-stream"}
        self._send("PUT", f"{path}{glue}digest={key[1]}", content, headers)
        self.pushed.add(key)

    def _put_manifest(self, repository: str, name: str, content: bytes, media_type: str) -> None:
        headers = {"Content-Type": media_type}
        self._send("PUT", f"/v2/{repository}/manifests/{name}", content, headers)

    def _send(self, method: str, path: str, body: bytes, headers: dict | None = None) -> dict:
        self.connection.request(method, path, body, headers or {})
        response = self.connection.getresponse()
        text = response.read()
        if response.status not in (201, 202):
            raise RuntimeError(f"{method} {path}: {response.status} {text[:200]!r}")
        return dict(response.getheaders())


def _descriptor(content: bytes, media_type: str) -> dict:
    return {"mediaType": media_type, "digest": digest(content), "size": len(content)}


def _platform(architecture: str) -> dict:
    return {"os": "linux", "architecture": architecture}


def _json(**members: object) -> bytes:
    return json.dumps(members).encode()
