"""Side by side: how longshore and its peers copy the same images. See docs/performance.md."""

import argparse
import http.client
import json
import os
import platform
import random
import re
import shutil
import signal
import ssl
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import corpus as corpora
from contenders import Contender, Crane, Longshore, LongshoreToEcr, Ocync, Regsync, Skopeo, Way
from corpus import Corpus
from stand import Line, Registry, Sandbox, certificates

HERE = Path(__file__).parent
TIMEOUT = 300


@dataclass
class Run:
    """What one run of a contender cost. Bytes are those on the wire, both ways and at both ends."""

    wall: float = 0.0
    cpu: float = 0.0
    memory: int = 0
    requests_from: int = 0
    requests_to: int = 0
    calls: int = 0
    bytes: int = 0
    failures: list[str] = field(default_factory=list)


class Ends:
    """An upstream with all corpora, and a destination for one contender at a time."""

    def __init__(self, folder: Path, longshore: str, round_trip: float) -> None:
        self.folder, self.longshore, self.round_trip = folder, longshore, round_trip
        self.count = 0
        authority = certificates(folder)
        self.environment = {"PATH": os.environ["PATH"], "SSL_CERT_FILE": str(authority)}
        self.trust = ssl.create_default_context(cafile=authority)
        self.upstream = Registry(folder / "upstream", folder, self.environment)
        self.services = [self.upstream]

    def destination(self, contender: Contender) -> "Destination":
        """An empty one; those before it end."""
        for service in self.services[1:]:
            service.stop()
        del self.services[1:]
        self.count += 1
        folder = self.folder / f"destination-{self.count}"
        return Destination(self, contender, folder)

    def close(self) -> None:
        for service in reversed(self.services):
            service.stop()


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
            self._add(run, command, environment)
        after = self.requests()
        run.requests_from, run.requests_to, run.calls = (b - a for a, b in zip(before, after))
        # The sandbox's registry has no line to it.
        run.bytes = sum(line.bytes for line in lines) if self.registry else 0
        for line in lines:
            line.close()
        run.failures += self._wrong(corpus)
        return run

    def _add(self, run: Run, command: list[str], environment: dict[str, str]) -> None:
        report = self.home / "measured.json"
        measure = [sys.executable, "-I", "-S", str(HERE / "measure.py"), str(report)]
        process = subprocess.Popen(
            measure + command,
            env=environment,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            said, _ = process.communicate(timeout=TIMEOUT)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        measured = json.loads(report.read_text())
        run.wall += measured["wall"]
        run.cpu += measured["cpu"]
        run.memory = max(run.memory, measured["memory"])
        if measured["exit"] != 0:
            words = said.decode(errors="replace").strip()
            run.failures.append(f"exit code {measured['exit']}: {words[-1000:]}")

    def _wrong(self, corpus: Corpus) -> list[str]:
        """The tags that do not have the source's digest afterwards."""
        if self.registry is None:
            return []
        connection = http.client.HTTPSConnection(self.registry.host, context=self.ends.trust)
        accept = {"Accept": f"{corpora.INDEX}, {corpora.MANIFEST}"}
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


def compare(
    ends: Ends, corpus: Corpus, contenders: list[Contender], runs: int, is_repeated: bool
) -> dict[str, dict[str, list[Run]]]:
    """The runs of each contender: `cold`, and `unchanged` where they are repeated. The first of
    each is not timed: there the bytes are counted."""
    found: dict[str, dict[str, list[Run]]] = {
        contender.name: {"cold": [], "unchanged": []} for contender in contenders
    }
    for number in range(runs + 1):
        for contender in random.sample(contenders, len(contenders)):
            say(f"{corpus.name}: {contender.name}, {f'run {number}' if number else 'counting'}")
            destination = ends.destination(contender)
            results = found[contender.name]
            results["cold"].append(destination.run(corpus, is_counted=number == 0))
            if is_repeated:
                results["unchanged"].append(destination.run(corpus, is_counted=number == 0))
    return found


def table(title: str, results: dict[str, list[Run]], missing: list[str]) -> str:
    """A table in Markdown: medians, with the least and the most for the time; and how often as much
    it is as longshore's."""
    head = (
        "contender",
        "wall s (least-most)",
        "CPU s",
        "peak MiB",
        "requests at source",
        "at destination",
        "MB on the wire",
    )
    rows = [head, ("---",) + ("---:",) * (len(head) - 1)]
    base = None
    for name, (counted, *timed) in results.items():
        of = lambda member: [getattr(run, member) for run in timed]
        wall, cpu = statistics.median(of("wall")), statistics.median(of("cpu"))
        memory = max(of("memory")) / corpora.MIB
        at_source = statistics.median_low(of("requests_from"))
        calls = statistics.median_low(of("calls"))
        at_destination = statistics.median_low(of("requests_to")) + calls
        numbers = (wall, cpu, memory, at_source, at_destination, counted.bytes / 1e6)
        base = base or numbers
        ratios = [f" ×{number / one:.2f}" if one else "" for number, one in zip(numbers, base)]
        if numbers is base:
            ratios = [""] * len(numbers)
        if any(run.failures for run in (counted, *timed)):
            name += " (FAILED)"
        rows.append(
            (
                name,
                f"{wall:.2f} ({min(of('wall')):.2f}-{max(of('wall')):.2f}){ratios[0]}",
                f"{cpu:.2f}{ratios[1]}",
                f"{memory:.0f}{ratios[2]}",
                f"{at_source}{ratios[3]}",
                f"{at_destination}" + (f" ({calls} to the API)" if calls else "") + ratios[4],
                f"{numbers[5]:.1f}{ratios[5]}" if counted.bytes else "not counted",
            )
        )
    rows += [(name, "not measured") + ("",) * (len(head) - 2) for name in missing]
    return f"### {title}\n\n" + "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def version(contender: Contender) -> str:
    command = [contender.program, *contender.says_version]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = re.search(r"v?\d+\.\d\S*|\b[0-9a-f]{7,40}\b", said)
    return f"{contender.name} {found[0] if found else 'of unknown version'}"


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="benches/compare", description=__doc__)
    parser.add_argument("--longshore", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--runs", type=int, default=3, choices=range(1, 21), metavar="N",
                        help="timed runs of each contender and scenario, 1 to 20 (3)")
    parser.add_argument("--latency", type=float, default=0, metavar="MS",
                        help="added to each round trip, in milliseconds (0)")
    parser.add_argument("--only", action="append", choices=("large", "tags", "shared"),
                        help="this scenario alone; may be repeated")
    parser.add_argument("--folder", type=Path, default=None,
                        help="where the registries keep what they hold, some 1.5 GB"
                        " (memory where there is enough, else the temporary folder)")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    contenders: list[Contender] = [
        Longshore(arguments.longshore), LongshoreToEcr(arguments.longshore),
        Skopeo(), Crane(), Regsync(), Ocync(),
    ]
    present = [contender for contender in contenders if contender.program]
    missing = [contender.name for contender in contenders if not contender.program]
    folder = arguments.folder
    shared_memory = Path("/dev/shm")
    if folder is None and shared_memory.is_dir():
        has_room = shutil.disk_usage(shared_memory).free > 3_000_000_000
        folder = shared_memory if has_room else None

    wanted = [
        make() for make in (corpora.large, corpora.tags, corpora.shared)
        if not arguments.only or make.__name__ in arguments.only
    ]
    with tempfile.TemporaryDirectory(prefix="compare.", dir=folder) as work:
        ends = Ends(Path(work), arguments.longshore, arguments.latency / 1000)
        try:
            pusher = corpora.Pusher(ends.upstream.host, ends.trust)
            for corpus in wanted:
                say(f"{corpus.name}: making {corpus.title}")
                pusher.push(corpus)
            print(f"{platform.machine()}, {os.cpu_count()} processors, Linux {platform.release()};"
                  f" {', '.join(version(contender) for contender in present[:1] + present[2:])};"
                  f" {arguments.latency:g} ms added to each round trip;"
                  f" medians of {arguments.runs}\n")
            failures = []
            for corpus in wanted:
                is_repeated = corpus.name == "tags"
                found = compare(ends, corpus, present, arguments.runs, is_repeated)
                for phase in ("cold", "unchanged") if is_repeated else ("cold",):
                    results = {name: phases[phase] for name, phases in found.items()}
                    print(table(f"{corpus.title}, {phase}", results, missing), flush=True)
                    failures += [
                        f"{name}, {corpus.name}, {phase}: {failure}"
                        for name, runs in results.items()
                        for run in runs
                        for failure in run.failures[:1]
                    ]
        finally:
            ends.close()
    if failures:
        sys.exit("\n".join(failures))


if __name__ == "__main__":
    main()
