"""What a memory's retention was, is and will be."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.forgetting import kernel
from app.forgetting.kernel import Mark
from app.forgetting.schemas import RetentionRead
from app.forgetting.service.law import Fades, Law
from app.memories import service as memories
from app.memories.service import Revival
from app.tenants import service as tenants
from app.tenants.schemas import Principal, Scope


class Numbered(Fades, Protocol):
    """A memory with its place among its owner's."""

    @property
    def ordinal(self) -> int:
        """The owner's number of it."""


@dataclass(frozen=True, slots=True)
class Life:
    """A memory, and the moments from which it faded anew."""

    marks: tuple[Mark, ...]
    floor: float

    def along(self, moments: Sequence[datetime]) -> list[float | None]:
        """Return R at each moment; ``None`` before the memory was."""
        return kernel.retention_along(self.marks, moments, floor=self.floor)


async def lives(
    session: AsyncSession, scope: Scope, law: Law, held: Sequence[Numbered]
) -> dict[int, Life]:
    """Return the lives of memories by ordinal, as far as their history reaches."""
    revivals = await memories.revivals(session, scope, [memory.ordinal for memory in held])
    return {
        memory.ordinal: Life(
            _marks(law, memory, revivals.get(memory.ordinal, ())), law.policy.floor
        )
        for memory in held
    }


def _marks(law: Law, memory: Fades, revivals: Sequence[Revival]) -> tuple[Mark, ...]:
    """Return what the history tells; the last mark is what the memory fades from now."""
    days = kernel.FIRST_STRENGTH_DAYS
    marks = [Mark(law.begun_at(memory), days)]
    for revival in revivals:
        days = revival.strength_days or days
        marks.append(Mark(revival.at, days))
    if memory.recalled_at is None:
        marks = [Mark(law.begun_at(memory), memory.strength_days)]
    else:  # history may have been pruned, and recalls counted late
        earlier = [mark for mark in marks[1:] if mark.at < memory.recalled_at]
        marks = [marks[0], *earlier, Mark(memory.recalled_at, memory.strength_days)]
    return tuple(
        Mark(
            mark.at,
            kernel.strength(mark.strength_days, memory.importance, law.policy.importance_days),
        )
        for mark in marks
    )


async def retention(
    session: AsyncSession, principal: Principal, memory_id: UUID, *, at: datetime
) -> RetentionRead:
    """Return a memory's retention at a moment, past or to come; none before the memory was.

    Raises:
        MemoryNotFoundError: unknown, another tenant's, or not the owner the key is bound to.
    """
    scope, memory = await memories.find(session, principal, memory_id)
    law = Law((await tenants.effective_settings(session, scope)).policies.forgetting)
    life = (await lives(session, scope, law, [memory]))[memory.ordinal]
    fades = law.applies_to(memory)
    mark = kernel.mark_at(life.marks, at) or life.marks[0]
    (retained,) = life.along([at])
    return RetentionRead(
        at=at,
        retention=retained if fades or retained is None else 1.0,
        strength_days=mark.strength_days,
        elapsed_days=kernel.elapsed_days(mark.at, at),
        recalled_at=mark.at if mark is not life.marks[0] else None,
        fades=fades,
        fades_at=law.fades_at(memory),
    )


def moments_between(start: datetime, stop: datetime, step: timedelta) -> list[datetime]:
    """Return moments from ``start`` to ``stop``, both included, a step apart."""
    count = int((stop - start) / step)
    return [start + number * step for number in range(count + 1)]
