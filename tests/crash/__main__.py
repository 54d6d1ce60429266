"""Many random moments, offline: ``scripts/crash --moments 20``."""

import argparse
import asyncio
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.crash import victims
from tests.crash.installation import Installation
from tests.crash.moment import Moment, Outcome, choose_seed, live_through
from tests.crash.stream import Ledger
from tests.launcher.live import ROOT

_HEAD = (
    "| moment | victim | killed after, s | items | attempts repeated | writes again, s "
    "| with vectors, s | settled, s | result |\n"
    "|---:|---|---:|---:|---:|---:|---:|---:|---|"
)


def main() -> int:
    """Live through the moments; print a table, write it where asked; return the exit status."""
    asked = _arguments()
    began = time.monotonic()
    directory = Path(tempfile.mkdtemp(prefix="remembrancer-crash-"))
    directory.chmod(0o711)
    installation, ledger = Installation(directory / "data"), Ledger()
    _say(f"CRASH_SEED={asked.seed}, data in {directory}\n{_HEAD}")
    installation.start()
    outcomes = []
    for moment in _moments(asked):
        outcome = asyncio.run(live_through(installation, moment, ledger))
        outcomes.append(outcome)
        _say(_row(outcome))
        if outcome.complaints:
            _say(outcome.report)
            break  # the data stay as they are, to be looked at
    left = installation.end()
    if not any(outcome.complaints for outcome in outcomes):
        shutil.rmtree(directory, ignore_errors=True)
    _say(f"left running at the end: {left or 'nothing'}")
    minutes = (time.monotonic() - began) / 60
    if asked.out is not None:
        asked.out.write_text(_report(asked, outcomes, left, minutes))
    return 1 if left or any(outcome.complaints for outcome in outcomes) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/crash", description=__doc__)
    parser.add_argument("--moments", type=int, default=20)
    parser.add_argument("--seed", default=choose_seed(), help="default: of the day and the commit")
    parser.add_argument("--clients", type=int, default=6)
    parser.add_argument("--victim", choices=victims.VICTIMS, help="default: all in turn")
    parser.add_argument("--out", type=Path, help="write the result into this file")
    return parser.parse_args()


def _moments(asked: argparse.Namespace) -> Iterator[Moment]:
    chosen = victims.in_turn(random.Random(asked.seed), asked.moments)
    for number, victim in enumerate(chosen, 1):
        yield Moment(asked.victim or victim, asked.seed, number, asked.clients)


def _row(outcome: Outcome) -> str:
    cells = (
        outcome.moment.number,
        outcome.moment.victim,
        f"{outcome.killed_after_s:.2f}",
        outcome.items,
        outcome.retried,
        outcome.resumed_s,
        outcome.whole_s,
        outcome.settled_s,
        "FAILED" if outcome.complaints else "ok",
    )
    return f"| {' | '.join(map(str, cells))} |"


def _report(
    asked: argparse.Namespace, outcomes: Sequence[Outcome], left: Sequence[str], minutes: float
) -> str:
    failed = [outcome for outcome in outcomes if outcome.complaints]
    items = sum(outcome.items for outcome in outcomes)
    repeated = sum(outcome.retried for outcome in outcomes)
    verdict = (
        f"**{len(outcomes) - len(failed)} of {len(outcomes)} moments passed**; {items} items"
        f" acknowledged, {repeated} attempts repeated\nby the clients, {len(left)} processes left"
        " running at the end."
    )
    return "\n".join([
        "# Killed at random moments",
        "",
        _WHAT,
        "",
        f"- Command: `scripts/crash --moments {asked.moments} --seed {asked.seed}`",
        f"- Date: {datetime.now(UTC):%Y-%m-%d}, commit {_commit()}, {minutes:.0f} minutes",
        f"- Machine: {os.cpu_count()} cores ({platform.machine()}), shared with other work: load"
        f" {os.getloadavg()[2]:.1f} over the last 15 minutes",
        "",
        verdict,
        "",
        _HEAD,
        *map(_row, outcomes),
        "",
        "Seconds from the kill, median and most:",
        "",
        "| victim | n | writes again | with vectors | settled |",
        "|---|---:|---:|---:|---:|",
        *_by_victim(outcomes),
        "",
        *(f"```\n{outcome.report}\n```" for outcome in failed),
    ])  # fmt: skip


_WHAT = """\
One installation as `scripts/serve` starts it, with the default settings. At each moment several
clients write (1 to 5 items a request, five users, two sessions each, half of the requests with an
Idempotency-Key) and repeat what fails with the same ids until it is acknowledged. In their midst
`kill -9` hits the victim: the api, the worker, the sidecar, the database's postmaster, one of its
backends, the supervisor, everything at once, everything and once more while it recovers, or part
after part as in a storm (the seconds are from its end). Then the stream goes on, ends, and once the
jobs are finished it is checked, for all moments so far: every acknowledged item is stored once, as
it was sent, and nothing else is; it is recalled by a word of its own and has its vector; all jobs
succeeded; counters, postings, vectors, bits, sources and sessions agree with one another (the rules
of `tests/crash/tables.py`); no process of before the kill is left.

*Writes again*: until a write that was sent after the kill is acknowledged; *with vectors*: until
one is whose vectors were made at once; *settled*: until all jobs were finished and every part was
well again, which includes the end of the stream."""


def _by_victim(outcomes: Sequence[Outcome]) -> Iterator[str]:
    for victim in victims.VICTIMS:
        of_it = [outcome for outcome in outcomes if outcome.moment.victim == victim]
        if of_it:
            cells = (
                _middle([outcome.resumed_s for outcome in of_it]),
                _middle([outcome.whole_s for outcome in of_it]),
                _middle([outcome.settled_s for outcome in of_it]),
            )
            yield f"| {victim} | {len(of_it)} | {' | '.join(cells)} |"


def _middle(seconds: Sequence[float | None]) -> str:
    known = [one for one in seconds if one is not None]
    return f"{statistics.median(known):.1f}, {max(known):.1f}" if known else "never"


def _commit() -> str:
    command = ["git", "rev-parse", "--short=10", "HEAD"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout[
        :10
    ]


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
