"""The queue's schema is its package's own script, which a new release may change."""

import hashlib
import re
from pathlib import Path

from procrastinate.schema import SchemaManager

_VERSIONS = Path(__file__).parents[2] / "migrations" / "versions"
_FINGERPRINT = re.compile(r'^QUEUE_SCHEMA = "([0-9a-f]{64})"$', re.MULTILINE)


def test_the_queues_schema_is_the_one_that_our_migrations_know() -> None:
    """After an upgrade of procrastinate: a migration of ours brings its changes; see ADR 0002."""
    known = [
        fingerprint
        for path in sorted(_VERSIONS.glob("*.py"))
        for fingerprint in _FINGERPRINT.findall(path.read_text())
    ]

    assert hashlib.sha256(SchemaManager.get_schema().encode()).hexdigest() == known[-1]
