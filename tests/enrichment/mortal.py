"""A process that dies at one of its commits."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.database import Database

_WRITES = sa.text("SELECT pg_current_xact_id_if_assigned() IS NOT NULL")
Moment = Literal["before", "after"]


class KilledError(BaseException):
    """The process ends here. No ``Exception``: nothing may catch it."""


class Mortal(Database):
    """The same database, seen by a process that dies at one of its transactions that write."""

    def __init__(self, whole: Database, *, dies_at: int | None, moment: Moment) -> None:
        self.__dict__.update(whole.__dict__)
        self.written = 0
        self._dies_at, self._moment = dies_at, moment

    @asynccontextmanager
    async def transaction(
        self, *, tenant_id: UUID | None = None, owner_id: int | None = None
    ) -> AsyncGenerator[AsyncSession]:
        is_last = False
        async with super().transaction(tenant_id=tenant_id, owner_id=owner_id) as session:
            yield session
            await session.flush()
            if (await session.execute(_WRITES)).scalar_one():
                self.written += 1
                is_last = self.written == self._dies_at
            if is_last and self._moment == "before":
                raise KilledError
        if is_last:
            raise KilledError
