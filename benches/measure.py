"""measure.py REPORT COMMAND...: runs a command and writes what the kernel accounted to it.

A program of its own, and a small one: Linux starts a child's peak memory with its parent's, so
that nothing smaller than this process (some 9 MiB) can be seen.
"""

import json
import os
import sys
import time

report, command = sys.argv[1], sys.argv[2:]
begun = time.monotonic()
process = os.posix_spawnp(command[0], command, os.environ)
_, status, usage = os.wait4(process, 0)
with open(report, "w", encoding="utf-8") as file:
    json.dump(
        {
            "wall": time.monotonic() - begun,
            "cpu": usage.ru_utime + usage.ru_stime,
            "memory": usage.ru_maxrss * 1024,
            "exit": os.waitstatus_to_exitcode(status),
        },
        file,
    )
