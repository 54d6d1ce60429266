"""The checks of this folder are checked: damage of each kind is found."""

import asyncio
import sys
from typing import LiteralString

import pytest

from tests.crash import tables
from tests.crash.installation import Installation
from tests.crash.moment import write_for
from tests.crash.stream import Ledger

pytestmark = [
    pytest.mark.pg,
    pytest.mark.live,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]

DAMAGE: dict[str, LiteralString] = {
    "owner_stats.keys counts the keys": "UPDATE owner_stats SET keys = keys + 1",
    "owner_stats.sum_dl sums the lengths of the keys": "UPDATE owner_stats SET sum_dl = sum_dl - 1",
    "owner_stats.last_ordinal is the last memory's": "UPDATE owner_stats SET last_ordinal = 0",
    "an owner has its counters": "DELETE FROM owner_stats",
    "a posting has its key": "DELETE FROM memory_keys WHERE ordinal = 2",
    "a key's stems are its postings": "DELETE FROM postings WHERE key_ordinal = 2",
    "a key has its memory": "DELETE FROM memories WHERE ordinal = 2",
    "a memory has its first key": "DELETE FROM memory_keys WHERE ordinal = 2",
    "a memory has its one source": "DELETE FROM memory_sources WHERE memory_ordinal = 2",
    "an episode has its one memory": "DELETE FROM memory_sources WHERE memory_ordinal = 2",
    "a session counts its episodes, numbered without a gap": "UPDATE sessions SET last_seq = 0",
    "an episode has its session": "DELETE FROM sessions",
    "an episode's job is there": "DELETE FROM jobs",
    "a job has succeeded": "UPDATE jobs SET status = 'failed'",
    "the queue is empty": "INSERT INTO procrastinate_jobs (task_name, queue_name) VALUES ('', '')",
    "an Idempotency-Key has its answer": "UPDATE idempotency_keys SET response = NULL",
    "a vector has its key": "DELETE FROM memory_keys WHERE ordinal = 2",
    "a key has its vector": "DELETE FROM embeddings_1 WHERE key_ordinal = 2",
    "a vector has its bits": "DELETE FROM embedding_bits_1 WHERE key_ordinal = 2",
    "lost": "DELETE FROM episodes WHERE ordinal = 2",
    "never acknowledged": "UPDATE episodes SET content = content || '!' WHERE ordinal = 2",
    "Idempotency-Keys differ": "DELETE FROM idempotency_keys",
}


@pytest.fixture(scope="module", autouse=True)
def _something_is_stored(installation: Installation, ledger: Ledger, seed: str) -> None:
    complaints = asyncio.run(write_for(installation, ledger, seconds=1, seed=seed))
    assert complaints == []


def test_there_is_damage_to_try_for_each_rule() -> None:
    assert set(DAMAGE) >= {*tables.RULES, *tables.RULES_OF_MODEL}


@pytest.mark.parametrize("rule", DAMAGE)
def test_damage_is_found(installation: Installation, ledger: Ledger, rule: str) -> None:
    with installation.database() as connection, connection.transaction(force_rollback=True):
        connection.execute("SET LOCAL session_replication_role = replica")  # no cascades
        connection.execute(DAMAGE[rule])

        found = tables.broken_rules(connection, ledger.kept, ledger.keys)

    assert [one for one in found if rule in one]


def test_without_damage_nothing_is_found(installation: Installation, ledger: Ledger) -> None:
    with installation.database() as connection:
        assert tables.broken_rules(connection, ledger.kept, ledger.keys) == []
