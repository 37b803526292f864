"""Side by side: what the same lines on the same base cost with the docker command line and with
longshore. See docs/performance.md."""

import argparse
import json
import os
import platform
import random
import signal
import ssl
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import corpus as corpora
from corpus import Corpus
from ends import Run
from stand import Registry, Sandbox, certificates

LINES = {
    "ENV": "ENV GREETING=hello",
    "RUN": 'RUN ["/bin/busybox", "touch", "/greeting"]',
}

# What is there before: nothing; the base at the destination; what the run before made.
STATES = ("cold", "base there", "unchanged")

HEAD = (
    "contender",
    "wall s (least-most)",
    "CPU s",
    "CPU s of the daemon",
    "requests at source",
    "at destination",
)


@dataclass
class Place:
    """From where to where, what with, and a folder for files of the contender's own."""

    source: str
    destination: str
    image: tuple[str, str]
    line: str
    folder: Path

    def write(self, name: str, content: str) -> str:
        path = self.folder / name
        path.write_text(content)
        return str(path)


class Docker:
    """`docker pull`, `docker build` and `docker push`, as a script would."""

    name = "docker"
    lines = tuple(LINES)

    def command(self, place: Place) -> list[str]:
        name, tag = place.image
        source, built = f"{place.source}/{name}:{tag}", f"{place.destination}/{name}:built"
        place.write("Dockerfile", f"FROM {source}\n{place.line}\n")
        steps = f"docker pull {source} && docker build -t {built} . && docker push {built}"
        return ["sh", "-c", steps]


class Longshore:
    """`apply` with a file of one image."""

    def __init__(self, program: str, name: str, lines: tuple[str, ...], **options: str) -> None:
        self.program, self.name, self.lines, self.options = program, name, lines, options

    def command(self, place: Place) -> list[str]:
        return apply(self.program, place, {"lines": [place.line], **self.options})


def apply(program: str, place: Place, image: dict) -> list[str]:
    """Brings the base under its own name, with what `image` says besides."""
    name, tag = place.image
    source = f"{place.source}/{name}"
    content = {
        "version": 1,
        "upstreams": {place.source: {"endpoint": f"https://{place.source}"}},
        "images": [{"source": source, "tags": [tag], "repository": name, **image}],
    }
    return [program, "apply", "--file", place.write("longshore.yaml", json.dumps(content))]


class Stand:
    """An upstream with the base, and a daemon."""

    def __init__(self, folder: Path, longshore: str, daemons: list[int]) -> None:
        self.folder, self.longshore, self.daemons = folder, longshore, daemons
        self.count = 0
        authority = certificates(folder)
        self.environment = {"PATH": os.environ["PATH"], "SSL_CERT_FILE": str(authority)}
        self.trust = ssl.create_default_context(cafile=authority)
        self.upstream = Registry(folder / "upstream", folder, self.environment)

    def close(self) -> None:
        self.upstream.stop()

    def runs(self, contender: Docker | Longshore, line: str, base: Corpus, state: str) -> Run:
        """One run of a contender in a state, against a destination of its own."""
        self.count += 1
        folder = self.folder / f"destination-{self.count}"
        home = folder / "home"
        home.mkdir(parents=True)
        environment = {
            **self.environment,
            "HOME": str(home),
            "DOCKER_HOST": os.environ["DOCKER_HOST"],
            "DOCKER_BUILDKIT": "0",
        }
        ecr = Sandbox(folder / "ecr", self.longshore, environment)
        try:
            environment |= ecr.environment
            (image,) = base.images
            destination = log_in(ecr, home)
            name = (image.repository, image.tag)
            place = Place(self.upstream.host, destination, name, LINES[line], home)
            self.empty()
            if state == "base there":
                copy = apply(self.longshore, place, {})
                subprocess.run(copy, env=environment, check=True, capture_output=True)
            else:
                ecr.call("CreateRepository", repositoryName=name[0])
            command = contender.command(place)
            if state == "unchanged":
                first = Run()
                first.add(command, environment, home)
                if isinstance(contender, Longshore):
                    # Nothing changed, so no daemon has to be there.
                    environment["DOCKER_HOST"] = f"unix://{folder}/nobody"
            return self.measured(command, environment, home, ecr)
        finally:
            ecr.stop()

    def measured(
        self, command: list[str], environment: dict[str, str], home: Path, ecr: Sandbox
    ) -> Run:
        run = Run()
        before = self.counted(ecr)
        run.add(command, environment, home)
        run.requests_from, run.requests_to, run.daemon_cpu = (
            after - old for after, old in zip(self.counted(ecr), before)
        )
        return run

    def counted(self, ecr: Sandbox) -> tuple[int, int, float]:
        """So far: requests at the upstream and at the destination, seconds of the daemon."""
        cpu = sum(processor_time(daemon) for daemon in self.daemons)
        return len(self.upstream.requests()), len(ecr.requests()), cpu

    def empty(self) -> None:
        """Takes everything out of the daemon."""
        command = ["docker", "system", "prune", "--all", "--force"]
        subprocess.run(command, check=True, capture_output=True)


def log_in(ecr: Sandbox, home: Path) -> str:
    """Lets the docker command line into ECR, as `docker login` does; returns the registry."""
    (data,) = ecr.call("GetAuthorizationToken")["authorizationData"]
    registry = data["proxyEndpoint"].partition("://")[2]
    login = {"auths": {registry: {"auth": data["authorizationToken"]}}}
    (home / ".docker").mkdir()
    (home / ".docker" / "config.json").write_text(json.dumps(login))
    return registry


def processor_time(process: int) -> float:
    """The seconds that a process and the children that it waited for have taken."""
    words = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, words[11:15])) / os.sysconf("SC_CLK_TCK")


def table(title: str, results: dict[str, list[Run]]) -> str:
    """A table in Markdown: medians, the least and the most wall time; and how many times as much as
    docker's it is."""
    rows = [HEAD, ("---",) + ("---:",) * (len(HEAD) - 1)]
    base = None
    for name, runs in results.items():
        walls = [run.wall for run in runs]
        wall = statistics.median(walls)
        base = base or wall
        rows.append(
            (
                name + (" (FAILED)" if any(run.failures for run in runs) else ""),
                f"{wall:.2f} ({min(walls):.2f}-{max(walls):.2f})"
                + (f", {base / wall:.1f} times faster" if wall < base else ""),
                f"{statistics.median([run.cpu for run in runs]):.2f}",
                f"{statistics.median([run.daemon_cpu for run in runs]):.2f}",
                f"{statistics.median_low([run.requests_from for run in runs])}",
                f"{statistics.median_low([run.requests_to for run in runs])}",
            )
        )
    return f"### {title}\n\n" + "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benches/builds", description=__doc__)
    parser.add_argument("--longshore", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--daemon", required=True, type=int, nargs="+", help=argparse.SUPPRESS)
    parser.add_argument(
        "--runs",
        type=int,
        default=3,
        choices=range(1, 21),
        metavar="N",
        help="runs of each contender in each state, 1 to 20 (3)",
    )
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    contenders = [
        Docker(),
        Longshore(asked.longshore, "longshore, build", tuple(LINES)),
        Longshore(asked.longshore, "longshore, build, the daemon pushes", tuple(LINES), publish="daemon"),
        Longshore(asked.longshore, "longshore, derive", ("ENV",), builder="direct"),
    ]
    version = ["docker", "version", "--format", "{{.Server.Version}}"]
    engine = subprocess.run(version, check=True, capture_output=True, text=True).stdout.strip()
    failures = []
    with tempfile.TemporaryDirectory(prefix="builds.") as folder:
        stand = Stand(Path(folder), asked.longshore, asked.daemon)
        try:
            base = corpora.base()
            corpora.Pusher(stand.upstream.host, stand.trust).push(base)
            print(
                f"{platform.machine()}, {os.cpu_count()} processors, Linux {platform.release()};"
                f" Docker {engine}; medians of {asked.runs}\n"
            )
            for line in LINES:
                able = [contender for contender in contenders if line in contender.lines]
                for state in STATES:
                    found: dict[str, list[Run]] = {contender.name: [] for contender in able}
                    for number in range(asked.runs):
                        for contender in random.sample(able, len(able)):
                            print(f"{line}, {state}: {contender.name}, run {number + 1}", file=sys.stderr)
                            run = stand.runs(contender, line, base, state)
                            found[contender.name].append(run)
                            failures += [f"{contender.name}, {line}, {state}: {failure}" for failure in run.failures]
                    print(table(f"{base.title} and one {line} line, {state}", found), flush=True)
        finally:
            stand.close()
    if failures:
        sys.exit("\n".join(failures))


if __name__ == "__main__":
    main()
