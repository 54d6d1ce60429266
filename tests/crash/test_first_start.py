import asyncio
import random
import sys

import pytest

from tests.crash import victims
from tests.crash.conftest import prepared
from tests.crash.moment import write_for
from tests.crash.stream import Ledger

pytestmark = [
    pytest.mark.pg,
    pytest.mark.live,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]

_LATEST_S = 6.0


def test_a_first_start_killed_at_any_moment_is_made_good_by_the_next(seed: str) -> None:
    rng = random.Random(f"{seed}/first start")
    moment_s = rng.uniform(0.2, _LATEST_S)

    with prepared() as installation:
        installation.launch()
        killed = victims.kill_all_after(installation, moment_s, rng)
        installation.start()
        complaints = asyncio.run(write_for(installation, Ledger(), seconds=1, seed=seed))
        left = installation.still_there(killed)

    assert complaints == [], f"killed after {moment_s:.2f} s, CRASH_SEED={seed}"
    assert left == []
