"""Who holds a key: looked up in the database, remembered for a moment."""

import time
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from app.kit.database import Database
from app.kit.settings import LimitSettings
from app.tenants import kernel
from app.tenants.errors import InvalidKeyError
from app.tenants.models import ApiKey
from app.tenants.repository import keys as repository
from app.tenants.schemas import OwnerKind, OwnerName, Principal

_MOST_ENTRIES = 10_000


class _Entry(NamedTuple):
    """What a look-up found, and until when (monotonic seconds) it may be believed."""

    principal: Principal | None
    expires_at: datetime | None
    until_s: float


class KeyRing:
    """Finds principals by key. Unknown keys are remembered too: repeating one stays cheap."""

    def __init__(self, database: Database, limits: LimitSettings, *, ttl_s: float) -> None:
        self._database = database
        self._limits = limits
        self._ttl_s = ttl_s
        self._entries: dict[bytes, _Entry] = {}
        self._changes = 0

    async def find(self, key: str, now: datetime) -> Principal:
        """Return the holder of a key.

        Raises:
            InvalidKeyError: the key is unknown, revoked or expired.
        """
        if not kernel.is_well_formed(key):
            raise InvalidKeyError
        digest = kernel.digest(key)
        entry = self._entries.get(digest)
        if entry is None or entry.until_s <= time.monotonic():
            entry = await self._look_up(digest)
        if entry.principal is None or (entry.expires_at is not None and entry.expires_at <= now):
            raise InvalidKeyError
        return entry.principal

    def forget(self, *key_ids: UUID) -> None:
        """Believe nothing about these keys any longer; call it once they are revoked for good."""
        self._changes += 1
        self._entries = {
            digest: entry
            for digest, entry in self._entries.items()
            if entry.principal is None or entry.principal.key_id not in key_ids
        }

    async def _look_up(self, digest: bytes) -> _Entry:
        changes = self._changes
        async with self._database.transaction() as session:
            row = await repository.find_across_tenants(session, digest)
        until_s = time.monotonic() + self._ttl_s
        if row is None or row.revoked_at is not None:
            entry = _Entry(None, None, until_s)
        else:
            entry = _Entry(self._principal(row), row.expires_at, until_s)
        # A key revoked while we looked must not come back by what we saw before.
        if self._ttl_s > 0 and changes == self._changes:
            if len(self._entries) >= _MOST_ENTRIES:
                self._entries.clear()
            self._entries[digest] = entry
        return entry

    def _principal(self, row: ApiKey) -> Principal:
        return Principal(
            tenant_id=row.tenant_id,
            key_id=row.key_id,
            scopes=kernel.implied(row.scopes),
            bound=_bound(row),
            requests_per_minute=row.requests_per_minute or self._limits.requests_per_minute,
            daily_items=row.daily_items or self._limits.daily_items,
        )


def _bound(row: ApiKey) -> OwnerName | None:
    if row.bound_kind is None or row.bound_external_id is None:
        return None
    kind: OwnerKind = "user" if row.bound_kind == "user" else "agent"
    return OwnerName(kind, row.bound_external_id)
