"""Processor time of the programs that a measurement started, by which program it was."""

import os
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

HERE = "here"
"""The name of this process."""
_PROGRAMS = {"postgres": "database", "app.sidecar": "sidecar", "app.cli": "worker"}


def spent() -> dict[str, float]:
    """Return seconds by program: this process, and all below it."""
    parents, ticks = _processes()
    ours = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in ours} - ours:
        ours |= more
    seconds: dict[str, float] = defaultdict(float)
    for pid in ours:
        seconds[_program(pid)] += ticks[pid] / os.sysconf("SC_CLK_TCK")
    return seconds


def since(before: Mapping[str, float]) -> dict[str, float]:
    """Return seconds by program since an earlier ``spent``."""
    return {name: now - before.get(name, 0.0) for name, now in spent().items()}


def _processes() -> tuple[dict[int, int], dict[int, int]]:
    """Return parent and ticks by process."""
    parents, ticks = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            pid = int(stat.parent.name)
            parents[pid], ticks[pid] = int(fields[1]), sum(map(int, fields[11:15]))
    return parents, ticks


def _program(pid: int) -> str:
    if pid == os.getpid():
        return HERE
    with suppress(OSError):
        command = Path(f"/proc/{pid}/cmdline").read_text()
        for part, name in _PROGRAMS.items():
            if part in command:
                return name
    return "other"
