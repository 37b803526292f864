"""Side by side: how longshore and its peers copy the same images. See docs/performance.md."""

import argparse
import random
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import comparison
import corpus as corpora
from contenders import Contender, Crane, Longshore, LongshoreToEcr, Ocync, Regsync, Skopeo
from corpus import Corpus
from ends import Ends
from run import Run

SCENARIOS = {make.__name__: make for make in (corpora.large, corpora.tags, corpora.shared)}

HEAD = (
    "contender",
    "wall s (least-most)",
    "CPU s",
    "peak MiB",
    "requests at source",
    "at destination",
    "MB on the wire",
)


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
    """A table in Markdown: medians, the least and the most wall time, the most memory; and how many
    times as much as longshore's it is."""
    rows = []
    base = None
    for name, (counted, *timed) in results.items():
        calls = statistics.median_low([run.calls for run in timed])
        numbers = (
            statistics.median([run.wall for run in timed]),
            statistics.median([run.cpu for run in timed]),
            max(run.memory for run in timed) / corpora.MIB,
            statistics.median_low([run.requests_from for run in timed]),
            statistics.median_low([run.requests_to for run in timed]) + calls,
            counted.bytes / 1e6,
        )
        texts = [
            comparison.wall_time(timed),
            f"{numbers[1]:.2f}",
            f"{numbers[2]:.0f}",
            f"{numbers[3]}",
            f"{numbers[4]}" + (f" ({calls} to the API)" if calls else ""),
            f"{numbers[5]:.1f}" if counted.bytes else "not counted",
        ]
        if base is None:
            base = numbers
        else:
            texts = [
                f"{text} ×{number / one:.2f}" if number and one else text
                for text, number, one in zip(texts, numbers, base)
            ]
        rows.append((comparison.named(name, [counted, *timed]), *texts))
    rows += [(name, "not measured") + ("",) * (len(HEAD) - 2) for name in missing]
    return comparison.table(title, HEAD, rows)


def version(contender: Contender) -> str:
    command = [contender.program, *contender.says_version]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    # regsync names the version of Go too.
    own = "\n".join(line for line in said.splitlines() if not line.startswith("Go"))
    found = re.search(r"v?\d+\.\d\S*|\b[0-9a-f]{7,40}\b", own)
    return f"{contender.name} {found[0] if found else 'of unknown version'}"


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def arguments() -> argparse.Namespace:
    runs = "timed runs of each contender and scenario"
    parser = comparison.parser("compare", __doc__, runs)
    parser.add_argument(
        "--latency",
        type=float,
        default=0,
        metavar="MS",
        help="milliseconds added to each round trip (0)",
    )
    parser.add_argument(
        "--only",
        action="append",
        choices=SCENARIOS,
        help="this scenario alone; may be repeated",
    )
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    comparison.end_when_told()
    peers = [Skopeo(), Crane(), Regsync(), Ocync()]
    missing = [peer.name for peer in peers if not peer.program]
    peers = [peer for peer in peers if peer.program]
    longshore = Longshore(asked.longshore)
    # No line leads to the sandbox's registry: it names its own address.
    to_ecr = [] if asked.latency else [LongshoreToEcr(asked.longshore)]
    contenders = [longshore, *to_ecr, *peers]

    failures = []
    with tempfile.TemporaryDirectory(prefix="compare.", dir=asked.folder) as folder:
        ends = Ends(Path(folder), asked.longshore, asked.latency / 1000)
        try:
            wanted = [SCENARIOS[name]() for name in asked.only or SCENARIOS]
            pusher = corpora.Pusher(ends.upstream.host, ends.trust)
            for corpus in wanted:
                say(f"{corpus.name}: making {corpus.title}")
                pusher.push(corpus)
            print(
                f"{comparison.machine()};"
                f" {', '.join(version(contender) for contender in [longshore, *peers])};"
                f" {asked.latency:g} ms added to each round trip; medians of {asked.runs}\n"
            )
            for corpus in wanted:
                is_repeated = corpus.name == "tags"
                found = compare(ends, corpus, contenders, asked.runs, is_repeated)
                for phase in ("cold", "unchanged") if is_repeated else ("cold",):
                    results = {name: phases[phase] for name, phases in found.items()}
                    print(table(f"{corpus.title}, {phase}", results, missing), flush=True)
                    failures += [
                        f"{name}, {corpus.name}, {phase}: {failure}"
                        for name, runs in results.items()
                        for run in runs
                        for failure in run.failures
                    ]
        finally:
            ends.close()
    comparison.end(failures)


if __name__ == "__main__":
    main()
