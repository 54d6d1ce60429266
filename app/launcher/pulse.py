"""Whether the worker of this container turns over: ``python -m app.launcher.pulse``.

The worker answers no requests that a health check could ask. Its event loop looks for tasks twice
a second, so its process gives up the processor that often; one that hangs does not. Linux only.
"""

import re
import sys
import time
from pathlib import Path

_LOOK_S = 2.0
# Anchored at python: a container's init names the same words behind its own.
_WORKER = re.compile(rb"[^\0]*python[\d.]*\0(?:[^\0]*\0)*app\.cli\0worker\0")


def find_worker(processes: Path = Path("/proc")) -> Path | None:
    """Return the directory of the worker's process."""
    for entry in processes.glob("[0-9]*"):
        try:
            if _WORKER.fullmatch((entry / "cmdline").read_bytes()):
                return entry
        except OSError:  # it ended meanwhile
            continue
    return None


def turns(process: Path) -> int:
    """Return how often the process has given up the processor by itself; -1 if it is gone."""
    try:
        lines = (process / "status").read_text().splitlines()
    except OSError:
        return -1
    counts = (line.split()[1] for line in lines if line.startswith("voluntary_ctxt_switches:"))
    return int(next(counts, -1))


def is_alive(processes: Path = Path("/proc"), *, look_s: float = _LOOK_S) -> bool:
    """Return whether there is a worker and it turned over while we looked."""
    worker = find_worker(processes)
    if worker is None:
        return False
    before = turns(worker)
    time.sleep(look_s)
    return turns(worker) > before


if __name__ == "__main__":
    sys.exit(0 if is_alive() else 1)
