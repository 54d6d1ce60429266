"""Whom to kill: one part, a server process of the database, the supervisor, or all at once."""

import random
import time
from collections.abc import Sequence

from tests.crash.installation import Installation, Process

PARTS = ("api", "worker", "sidecar", "postgres")
VICTIMS = (*PARTS, "backend", "supervisor", "everything", "everything twice", "storm")
"""``postgres`` is the postmaster; ``backend`` one process that it forked for a connection;
``everything twice`` is killed again while it recovers; a ``storm`` is part after part."""

_LATEST_AGAIN_S = 4.0
_STORM = 6


def in_turn(rng: random.Random, count: int) -> list[str]:
    """Return ``count`` victims in random order, each about as often as the others."""
    rounds = -(-count // len(VICTIMS))
    return [victim for _ in range(rounds) for victim in rng.sample(VICTIMS, len(VICTIMS))][:count]


def strike(installation: Installation, victim: str, rng: random.Random) -> set[Process]:
    """Kill the victim with SIGKILL; return the processes that must be gone for it."""
    if victim in PARTS:
        killed = {installation.part(victim)}
    elif victim == "backend":
        killed = {installation.backend(rng.random())}
    elif victim == "supervisor":
        return _behead(installation)
    elif victim == "storm":
        return _storm(installation, rng)
    else:
        return _kill_all(installation, rng)
    for process in killed:
        process.kill()
    return killed


def recover(installation: Installation, victim: str, rng: random.Random) -> set[Process]:
    """Start the supervisor again if it was killed, as an operator would; return its new victims."""
    if installation.process.poll() is None:
        return set()
    if victim != "everything twice":
        installation.start()
        return set()
    installation.launch()
    killed = kill_all_after(installation, rng.uniform(0.2, _LATEST_AGAIN_S), rng)
    installation.start()
    return killed


def kill_all_after(installation: Installation, seconds: float, rng: random.Random) -> set[Process]:
    """Let it go on for a while, then kill everything; return what was killed."""
    time.sleep(seconds)
    return _kill_all(installation, rng)


def _storm(installation: Installation, rng: random.Random) -> set[Process]:
    """Kill parts one after another, some of them before they are well again."""
    killed = set()
    for part in rng.choices(PARTS, k=_STORM):
        if part in installation.children():
            process = installation.part(part)
            process.kill()
            killed.add(process)
        time.sleep(rng.uniform(0.2, 2.5))
    return killed


def _behead(installation: Installation) -> set[Process]:
    family = installation.family()
    installation.process.kill()
    installation.process.wait()
    return family


def _kill_all(installation: Installation, rng: random.Random) -> set[Process]:
    """Kill the whole family in random order, faster than any of it can react."""
    family = installation.family()
    for process in _shuffled(rng, family):
        process.kill()
    installation.process.wait()
    return family


def _shuffled(rng: random.Random, processes: set[Process]) -> Sequence[Process]:
    ordered = sorted(processes, key=lambda process: process.pid)
    return rng.sample(ordered, len(ordered))
