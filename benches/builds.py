"""Side by side: what the same lines on the same base cost with the docker command line and with
longshore. See docs/performance.md."""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import comparison
import corpus as corpora
from contenders import LongshoreToEcr, Way
from corpus import Corpus
from run import Run
from stand import Sandbox, Stand

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


class Docker:
    """`docker pull`, `docker build` and `docker push`, as a script would."""

    name = "docker"
    lines = tuple(LINES)

    def command(self, way: Way, line: str) -> list[str]:
        name, tag = way.only()
        source, built = f"{way.source}/{name}:{tag}", f"{way.destination}/{name}:built"
        (way.folder / "Dockerfile").write_text(f"FROM {source}\n{LINES[line]}\n")
        steps = f"docker pull {source} && docker build -t {built} . && docker push {built}"
        return ["sh", "-c", steps]


class Longshore:
    """`apply` with a file of one image, whose options these are."""

    lines = tuple(LINES)
    flags: tuple[str, ...] = ()

    def __init__(self, program: str, name: str, **options: str) -> None:
        self.program, self.name, self.options = program, name, options

    def command(self, way: Way, line: str) -> list[str]:
        image = {"lines": [LINES[line]], **self.options}
        (command,) = LongshoreToEcr(self.program, **image).commands(way)
        return [*command, *self.flags]


class LongshoreKeeping(Longshore):
    """The same, which leaves in the daemon what the script leaves there."""

    flags = ("--keep-local",)


class LongshoreDeriving(Longshore):
    """The same without a daemon, which takes no `RUN`."""

    lines = ("ENV",)


class Builds(Stand):
    """An upstream with the base, and a daemon."""

    def __init__(self, folder: Path, longshore: str, daemons: list[int]) -> None:
        super().__init__(folder)
        self.longshore, self.daemons = longshore, daemons

    def runs(self, contender: Docker | Longshore, line: str, base: Corpus, state: str) -> Run:
        """One run of a contender in a state, against a destination of its own."""
        folder = self.next_folder()
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
            way = Way(base, self.upstream.host, log_in(ecr, home), home)
            self.empty()
            if state == "base there":
                (copy,) = LongshoreToEcr(self.longshore).commands(way)
                subprocess.run(copy, env=environment, check=True, capture_output=True)
            else:
                ecr.call("CreateRepository", repositoryName=way.only()[0])
            command = contender.command(way, line)
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
    rows = []
    base = None
    for name, runs in results.items():
        wall = statistics.median([run.wall for run in runs])
        base = base or wall
        rows.append(
            (
                comparison.named(name, runs),
                comparison.wall_time(runs)
                + (f", {base / wall:.1f} times faster" if wall < base else ""),
                f"{statistics.median([run.cpu for run in runs]):.2f}",
                f"{statistics.median([run.daemon_cpu for run in runs]):.2f}",
                f"{statistics.median_low([run.requests_from for run in runs])}",
                f"{statistics.median_low([run.requests_to for run in runs])}",
            )
        )
    return comparison.table(title, HEAD, rows)


def arguments() -> argparse.Namespace:
    parser = comparison.parser("builds", __doc__, "runs of each contender in each state")
    parser.add_argument("--daemon", required=True, type=int, nargs="+", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    comparison.end_when_told()
    contenders = [
        Docker(),
        Longshore(asked.longshore, "longshore, build"),
        LongshoreKeeping(asked.longshore, "longshore, build, kept in the daemon"),
        Longshore(asked.longshore, "longshore, build, the daemon pushes", publish="daemon"),
        LongshoreDeriving(asked.longshore, "longshore, derive", builder="direct"),
    ]
    version = ["docker", "version", "--format", "{{.Server.Version}}"]
    engine = subprocess.run(version, check=True, capture_output=True, text=True).stdout.strip()
    failures = []
    with tempfile.TemporaryDirectory(prefix="builds.", dir=asked.folder) as folder:
        stand = Builds(Path(folder), asked.longshore, asked.daemon)
        try:
            base = corpora.base()
            corpora.Pusher(stand.upstream.host, stand.trust).push(base)
            print(f"{comparison.machine()}; Docker {engine}; medians of {asked.runs}\n")
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
    comparison.end(failures)


if __name__ == "__main__":
    main()
