"""Digests that tell repeats from news. Pure."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime


def digest(value: object) -> bytes:
    """Return the SHA-256 of a JSON value; the order of members does not matter."""
    canonical = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).digest()


def content_digest(fields: Mapping[str, str | None], occurred_at: datetime) -> bytes:
    """Return what is equal for the same words by the same speaker at the same time."""
    return digest({**fields, "occurred_at": occurred_at.astimezone(UTC).isoformat()})
