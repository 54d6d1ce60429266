"""One installation for all tests that kill some part of it, and what it has acknowledged."""

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.crash.installation import Installation
from tests.crash.moment import choose_seed
from tests.crash.stream import Ledger


@contextmanager
def prepared(**settings: str) -> Generator[Installation]:
    """An installation that has yet to be started; in the end nothing of it may be left running."""
    # Not pytest's own directory: that is private to us, and the server may run as another user.
    directory = Path(tempfile.mkdtemp(prefix="remembrancer-crash-"))
    directory.chmod(0o711)
    made = Installation(directory / "data", **settings)
    try:
        yield made
    finally:
        left = made.end()
        shutil.rmtree(directory, ignore_errors=True)
    assert left == []


@pytest.fixture(scope="package")
def installation() -> Generator[Installation]:
    """An installation that takes a worker for dead after 9 s; by default it is 30."""
    with prepared(APP_JOBS__STALLED_S="9") as made:
        made.start()
        yield made


@pytest.fixture
def patient_installation() -> Generator[Installation]:
    """One with the default, in which a write soon leaves its vectors to a job."""
    with prepared(APP_EMBEDDINGS__WRITE_BUDGET_S="1") as made:
        made.start()
        yield made


@pytest.fixture(scope="package")
def ledger() -> Ledger:
    """What the stream's clients were told is stored: nothing of it may be lost later on."""
    return Ledger()


@pytest.fixture(scope="package")
def seed() -> str:
    """CRASH_SEED, or a seed of the day and the commit."""
    return choose_seed()
