"""The two ends of a copy."""

import http.client
from pathlib import Path

from contenders import Contender, Longshore, LongshoreToEcr, Way
from corpus import INDEX, MANIFEST, Corpus
from line import Line
from run import Run
from stand import Registry, Sandbox, Service, Stand


class Ends(Stand):
    """An upstream with all corpora, and a destination for one contender at a time."""

    def __init__(self, folder: Path, longshore: str, round_trip: float) -> None:
        super().__init__(folder)
        self.longshore, self.round_trip = longshore, round_trip
        self.services: list[Service] = []

    def destination(self, contender: Contender) -> "Destination":
        """An empty one; those before it end."""
        self.stop_services()
        return Destination(self, contender, self.next_folder())

    def stop_services(self) -> None:
        for service in reversed(self.services):
            service.stop()
        self.services.clear()

    def close(self) -> None:
        self.stop_services()
        super().close()


class Destination:
    """Where a contender copies to. It lasts for a cold run and the runs after it."""

    def __init__(self, ends: Ends, contender: Contender, folder: Path) -> None:
        self.ends, self.contender = ends, contender
        self.home = folder / "home"
        self.home.mkdir(parents=True)
        self.environment = {**ends.environment, "HOME": str(self.home)}
        self.registry = None
        if not isinstance(contender, LongshoreToEcr):
            self.registry = Registry(folder / "registry", ends.folder, ends.environment)
            ends.services.append(self.registry)
        self.sandbox = None
        if isinstance(contender, Longshore):
            self.sandbox = Sandbox(folder / "sandbox", ends.longshore, self.environment)
            ends.services.append(self.sandbox)
            self.environment |= self.sandbox.environment

    def requests(self) -> tuple[int, int, int]:
        """Requests so far: at the upstream, at the destination's registry, at the AWS API."""
        upstream = len(self.ends.upstream.requests())
        registry = len(self.registry.requests()) if self.registry else 0
        asked = self.sandbox.requests() if self.sandbox else []
        calls = sum(line.startswith("api ") for line in asked)
        return upstream, registry + len(asked) - calls, calls

    def run(self, corpus: Corpus, is_counted: bool) -> Run:
        """Lets the contender copy the corpus. Where bytes are counted, or the ends are far away, a
        line lies between it and each end, which takes its share of the processors."""
        source, destination = self.ends.upstream.host, self.registry and self.registry.host
        environment = dict(self.environment)
        lines = []

        def by_line(target: str) -> str:
            lines.append(Line(target, self.ends.round_trip))
            return lines[-1].host

        if is_counted or self.ends.round_trip:
            source = by_line(source)
            destination = destination and by_line(destination)
            if self.sandbox:
                scheme, _, api = environment["AWS_ENDPOINT_URL"].partition("://")
                environment["AWS_ENDPOINT_URL"] = f"{scheme}://{by_line(api)}"
        way = Way(corpus, source, destination, self.home)
        before = self.requests()
        run = Run()
        for command in self.contender.commands(way):
            run.add(command, environment, self.home)
        after = self.requests()
        run.requests_from, run.requests_to, run.calls = (b - a for a, b in zip(before, after))
        # The sandbox's registry has no line to it.
        run.bytes = sum(line.bytes for line in lines) if self.registry else 0
        for line in lines:
            line.close()
        run.failures += self._wrong(corpus)
        return run

    def _wrong(self, corpus: Corpus) -> list[str]:
        """The tags that do not have the source's digest afterwards."""
        if self.registry is None:
            return []
        connection = http.client.HTTPSConnection(self.registry.host, context=self.ends.trust)
        accept = {"Accept": f"{INDEX}, {MANIFEST}"}
        wrong = []
        for (repository, tag), digest in corpus.digests.items():
            connection.request("HEAD", f"/v2/{repository}/manifests/{tag}", headers=accept)
            response = connection.getresponse()
            response.read()
            found = response.getheader("Docker-Content-Digest")
            if found != digest:
                wrong.append(f"{repository}:{tag} has {found}")
        connection.close()
        return wrong
