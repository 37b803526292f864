"""What is compared, and how each of them is told to copy a corpus. All use their own defaults;
regsync, which has none worth the name, works on four images at once, as longshore and crane do."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from corpus import Corpus


@dataclass
class Way:
    """From where to where, and a folder for files of the contender's own."""

    corpus: Corpus
    source: str
    destination: str
    folder: Path

    def write(self, name: str, content: object) -> str:
        """Writes a file as JSON, which is YAML too."""
        path = self.folder / name
        path.write_text(json.dumps(content, indent=1))
        return str(path)

    def pair(self, repository: str, tag: str | None = None) -> list[str]:
        """A repository or tag at both ends."""
        name = repository if tag is None else f"{repository}:{tag}"
        return [f"{self.source}/{name}", f"{self.destination}/{name}"]

    def only(self) -> tuple[str, str] | None:
        """The corpus's one tag, where it has no more."""
        images = self.corpus.images
        return (images[0].repository, images[0].tag) if len(images) == 1 else None


class Contender:
    """A program that copies images."""

    name = ""
    says_version: tuple[str, ...] = ("version",)

    def __init__(self) -> None:
        self.program = shutil.which(self.name)

    def commands(self, way: Way) -> list[list[str]]:
        """The commands that copy the corpus, one after the other."""
        raise NotImplementedError


class Longshore(Contender):
    """`apply` with a file. The destination is said to be the account's registry."""

    name = "longshore"
    says_version = ("--version",)

    def __init__(self, program: str, **image: object) -> None:
        """`image` is what the file says of each image besides."""
        self.program, self.image = program, image

    def destination(self, way: Way) -> dict:
        return {"registry": f"https://{way.destination}"}

    def commands(self, way: Way) -> list[list[str]]:
        file = way.write(
            "longshore.yaml",
            {
                "version": 1,
                "destination": self.destination(way),
                "upstreams": {way.source: {"endpoint": f"https://{way.source}"}},
                "images": [
                    {"source": f"{way.source}/{name}", "tags": tags, "repository": name, **self.image}
                    for name, tags in way.corpus.repositories().items()
                ],
            },
        )
        return [[self.program, "apply", "--file", file]]


class LongshoreToEcr(Longshore):
    """The same, to the sandbox: a registry whose API knows what is in it."""

    name = "longshore, ECR"

    def destination(self, way: Way) -> dict:
        return {}


class Skopeo(Contender):
    """`copy` for one image, `sync` with a list of tags for more."""

    name = "skopeo"
    says_version = ("--version",)

    def commands(self, way: Way) -> list[list[str]]:
        skopeo = [self.program, "--insecure-policy"]
        if only := way.only():
            ends = [f"docker://{end}" for end in way.pair(*only)]
            return [[*skopeo, "copy", "--all", *ends]]
        file = way.write("skopeo.yaml", {way.source: {"images": way.corpus.repositories()}})
        ends = ["--src", "yaml", "--dest", "docker", file, way.destination]
        return [[*skopeo, "sync", "--all", *ends]]


class Crane(Contender):
    """`copy`, with `--all-tags` where a repository has more than one: it has no file of images."""

    name = "crane"

    def commands(self, way: Way) -> list[list[str]]:
        copy = [self.program, "copy"]
        return [
            (
                [*copy, *way.pair(name, tags[0])]
                if len(tags) == 1
                else [*copy, "--all-tags", *way.pair(name)]
            )
            for name, tags in way.corpus.repositories().items()
        ]


class Regsync(Contender):
    """`once` with a file."""

    name = "regsync"

    def commands(self, way: Way) -> list[list[str]]:
        def entry(name: str, tags: list[str]) -> dict:
            source, target = way.pair(name)
            return {
                "source": source,
                "target": target,
                "type": "repository",
                "tags": {"allow": tags},
            }

        repositories = way.corpus.repositories().items()
        sync = [entry(*repository) for repository in repositories]
        content = {"version": 1, "defaults": {"parallel": 4}, "sync": sync}
        return [[self.program, "once", "--config", way.write("regsync.yaml", content)]]


class Ocync(Contender):
    """`sync` with a file."""

    name = "ocync"

    def commands(self, way: Way) -> list[list[str]]:
        content = {
            "registries": {"from": {"url": way.source}, "to": {"url": way.destination}},
            "defaults": {"source": "from", "targets": "to"},
            "mappings": [
                {"from": name, "to": name, "tags": {"glob": tags}}
                for name, tags in way.corpus.repositories().items()
            ],
        }
        return [[self.program, "sync", "--config", way.write("ocync.yaml", content)]]
