"""One run of a contender, and what it costs."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

MEASURE = Path(__file__).parent / "measure.py"

# The longest that one command may take, in seconds.
TIMEOUT = 300


@dataclass
class Run:
    """What one run of a contender cost. Bytes are those on the wire, both ways and at both ends."""

    wall: float = 0.0
    cpu: float = 0.0
    memory: int = 0
    daemon_cpu: float = 0.0
    requests_from: int = 0
    requests_to: int = 0
    calls: int = 0
    bytes: int = 0
    failures: list[str] = field(default_factory=list)

    def add(self, command: list[str], environment: dict[str, str], folder: Path) -> None:
        """Runs a command in a folder and adds what it cost."""
        report = folder / "measured.json"
        measure = [sys.executable, "-I", "-S", str(MEASURE), str(report)]
        process = subprocess.Popen(
            measure + command,
            env=environment,
            cwd=folder,
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
        self.wall += measured["wall"]
        self.cpu += measured["cpu"]
        self.memory = max(self.memory, measured["memory"])
        if measured["exit"] != 0:
            words = said.decode(errors="replace").strip()
            self.failures.append(f"exit code {measured['exit']}: {words[-1000:]}")
