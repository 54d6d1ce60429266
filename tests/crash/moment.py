"""One random moment: a stream of writes, a kill in its midst, recovery, and what is true then."""

import asyncio
import os
import random
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx

from tests.crash import checks, tables, victims
from tests.crash.installation import Installation
from tests.crash.stream import Ledger, Writer
from tests.launcher.live import ROOT

_EARLIEST_S, _LATEST_S = 0.5, 4.0
_RESUME_WITHIN_S = 100.0
_SETTLE_WITHIN_S = 120.0
_GO_ON_S = 1.0


def choose_seed() -> str:
    """Return CRASH_SEED, or a seed of the day and the commit."""
    if given := os.environ.get("CRASH_SEED"):
        return given
    command = ["git", "rev-parse", "--short=10", "HEAD"]
    asked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return f"{datetime.now(UTC):%Y-%m-%d}-{asked.stdout.strip() or 'unknown'}"


@dataclass(frozen=True, slots=True)
class Moment:
    """What is going to happen; the same seed kills at the same moment of the stream."""

    victim: str
    seed: str
    number: int
    clients: int = 6


@dataclass(slots=True)
class Outcome:
    """What happened."""

    moment: Moment
    killed_after_s: float
    items: int = 0
    retried: int = 0
    resumed_s: float | None = None
    """Seconds from the kill to the acknowledgement of a write that was sent after it."""
    whole_s: float | None = None
    """Seconds from the kill to such a write whose items had their vectors at once."""
    settled_s: float | None = None
    """Seconds from the kill until all jobs were finished and every part was well."""
    complaints: list[str] = field(default_factory=list)

    @property
    def report(self) -> str:
        """All that is needed to read and to repeat it."""
        moment = self.moment
        return "\n".join([
            f"victim {moment.victim}, moment {moment.number}, CRASH_SEED={moment.seed}:",
            f"killed after {self.killed_after_s:.2f} s, {self.items} items, "
            f"{self.retried} attempts repeated, resumed after {self.resumed_s} s, "
            f"whole after {self.whole_s} s, settled after {self.settled_s} s",
            *self.complaints,
        ])  # fmt: skip


def _client(installation: Installation) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=installation.url,
        headers={"Authorization": f"Bearer {installation.api_key}"},
        timeout=30,
        trust_env=False,
    )


async def write_for(
    installation: Installation, ledger: Ledger, *, seconds: float, seed: str
) -> list[str]:
    """Let the clients write in peace for a while, and settle; return what was wrong."""
    enough, calm = asyncio.Event(), Moment("nobody", seed, 99)
    async with _client(installation) as http:
        async with asyncio.TaskGroup() as group:
            for writer in _writers(calm, ledger, http):
                group.create_task(writer.run(enough))
            await asyncio.sleep(seconds)
            enough.set()
        never = await checks.settle(installation, http, within_s=_SETTLE_WITHIN_S)
        found = await checks.complaints(http, ledger.kept)
    return [*ledger.complaints, *([never] if never else []), *found]


async def live_through(installation: Installation, moment: Moment, earlier: Ledger) -> Outcome:
    """Write, kill, recover, write on, settle and look; ``earlier`` gains what was acknowledged."""
    rng = random.Random(f"{moment.seed}/{moment.number}")
    outcome = Outcome(moment, rng.uniform(_EARLIEST_S, _LATEST_S))
    ledger = Ledger()
    async with _client(installation) as http:
        struck_at = await _write_through(installation, outcome, ledger, http, rng)
        earlier.kept += ledger.kept
        earlier.keys |= ledger.keys
        never = await checks.settle(installation, http, within_s=_SETTLE_WITHIN_S)
        outcome.settled_s = round(time.monotonic() - struck_at, 1)
        outcome.complaints += [*ledger.complaints, *([never] if never else [])]
        outcome.complaints += await checks.complaints(http, ledger.kept)
    with installation.database() as connection:
        outcome.complaints += tables.broken_rules(connection, earlier.kept, earlier.keys)
    outcome.items, outcome.retried = len(ledger.kept), ledger.failures.total()
    return outcome


async def _write_through(
    installation: Installation,
    outcome: Outcome,
    ledger: Ledger,
    http: httpx.AsyncClient,
    rng: random.Random,
) -> float:
    """Let the clients write while it is killed and recovers; return when it was killed."""
    moment, enough = outcome.moment, asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for writer in _writers(moment, ledger, http):
            group.create_task(writer.run(enough))
        try:
            await asyncio.sleep(outcome.killed_after_s)
            must_go = await asyncio.to_thread(victims.strike, installation, moment.victim, rng)
            struck_at = time.monotonic()
            must_go |= await asyncio.to_thread(victims.recover, installation, moment.victim, rng)
            await _resumption(ledger, struck_at, outcome)
            left = await asyncio.to_thread(installation.still_there, must_go)
            outcome.complaints += [f"still runs: {one.pid} {one.command}" for one in left]
            await asyncio.sleep(_GO_ON_S)
        finally:
            enough.set()
    return struck_at


def _writers(moment: Moment, ledger: Ledger, http: httpx.AsyncClient) -> Sequence[Writer]:
    return [
        Writer(
            http,
            ledger,
            name=f"{moment.number}-{number}",
            number=moment.number * 100 + number + 1,
            seed=moment.seed,
        )
        for number in range(moment.clients)
    ]


async def _resumption(ledger: Ledger, struck_at: float, outcome: Outcome) -> None:
    """Wait until writes are acknowledged again, and with vectors."""
    while time.monotonic() - struck_at < _RESUME_WITHIN_S:
        outcome.resumed_s = _rounded(ledger.first_after(struck_at))
        outcome.whole_s = _rounded(ledger.first_after(struck_at, whole=True))
        if outcome.whole_s is not None:
            return
        await asyncio.sleep(0.1)
    outcome.complaints.append(f"writes were not whole again within {_RESUME_WITHIN_S:.0f} s")


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 2)
