import asyncio
import random
import sys

import pytest

from tests.crash.installation import Installation
from tests.crash.moment import Moment, live_through
from tests.crash.stream import Ledger

pytestmark = [
    pytest.mark.pg,
    pytest.mark.live,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]

# The seed chooses the moments and, of each of these, one.
ROUNDS = (
    ("postgres", "backend"),
    ("api", "worker", "sidecar", "supervisor", "storm"),
    ("everything", "everything twice"),
)


def _live_through(installation: Installation, moment: Moment, ledger: Ledger) -> None:
    outcome = asyncio.run(live_through(installation, moment, ledger))

    sys.stdout.write(outcome.report)
    assert not outcome.complaints, f"{outcome.report}\nIt said:\n{installation.said[-3000:]}"


@pytest.mark.parametrize("number", range(len(ROUNDS)))
def test_what_was_acknowledged_is_there_once_after_a_kill_9(
    installation: Installation, ledger: Ledger, seed: str, number: int
) -> None:
    victim = random.Random(f"{seed}/{number}/victim").choice(ROUNDS[number])

    _live_through(installation, Moment(victim, seed, number), ledger)


def test_sixteen_clients_get_all_they_sent_stored_once_though_the_api_is_killed(
    installation: Installation, ledger: Ledger, seed: str
) -> None:
    _live_through(installation, Moment("api", seed, len(ROUNDS), clients=16), ledger)
