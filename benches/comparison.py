"""What both comparisons are asked for, and how they show what they found."""

import argparse
import os
import platform
import shutil
import signal
import statistics
import sys
from pathlib import Path

from run import Run


def parser(name: str, description: str, runs: str) -> argparse.ArgumentParser:
    """The options of a comparison; `runs` says what one run is."""
    options = argparse.ArgumentParser(prog=f"benches/{name}", description=description)
    options.add_argument("--longshore", required=True, help=argparse.SUPPRESS)
    options.add_argument(
        "--runs",
        type=int,
        default=3,
        choices=range(1, 21),
        metavar="N",
        help=f"{runs}, 1 to 20 (3)",
    )
    options.add_argument(
        "--folder",
        type=Path,
        default=roomy_memory(),
        help="where the registries keep some 2 GB (memory where it has room, else the temporary folder)",
    )
    return options


def roomy_memory() -> Path | None:
    memory = Path("/dev/shm")
    has_room = memory.is_dir() and shutil.disk_usage(memory).free > 3e9
    return memory if has_room else None


def end_when_told() -> None:
    """Lets everything that was started end with this program."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def machine() -> str:
    return f"{platform.machine()}, {os.cpu_count()} processors, Linux {platform.release()}"


def table(title: str, head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table in Markdown, whose first column has names and the others numbers."""
    line = ("---",) + ("---:",) * (len(head) - 1)
    lines = "\n".join(f"| {' | '.join(row)} |" for row in (head, line, *rows))
    return f"### {title}\n\n{lines}\n"


def named(name: str, runs: list[Run]) -> str:
    return name + (" (FAILED)" if any(run.failures for run in runs) else "")


def wall_time(runs: list[Run]) -> str:
    """The median, the least and the most, in seconds."""
    walls = [run.wall for run in runs]
    return f"{statistics.median(walls):.2f} ({min(walls):.2f}-{max(walls):.2f})"


def end(failures: list[str]) -> None:
    if failures:
        sys.exit("\n".join(failures))
