"""An owner's policy, applied to memories."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from app.forgetting import kernel
from app.memories.service import Faded
from app.tenants.policies import ForgettingPolicy

_GENEROUS = 1 - 1e-9
"""What the database rounds otherwise must not be lost."""


class Fades(Protocol):
    """What a memory fades by."""

    @property
    def id(self) -> UUID:
        """Its public id."""

    @property
    def kind(self) -> str:
        """What sort of memory it is."""

    @property
    def pinned(self) -> bool:
        """Whether it never fades."""

    @property
    def strength_days(self) -> float:
        """S, without what importance adds."""

    @property
    def importance(self) -> float | None:
        """How much it mattered when written, in [0, 1]."""

    @property
    def recalled_at(self) -> datetime | None:
        """When its clock started anew."""

    @property
    def created_at(self) -> datetime:
        """When it was stored."""

    @property
    def occurred_at(self) -> datetime:
        """When it happened."""


@dataclass(frozen=True, slots=True)
class Law:
    """How an owner's memories fade."""

    policy: ForgettingPolicy

    def applies_to(self, memory: Fades) -> bool:
        """Tell whether a memory fades at all."""
        if memory.pinned or self.policy.law == "none":
            return False
        return memory.kind in self.policy.kinds

    def begun_at(self, memory: Fades) -> datetime:
        """Return when the clock of a memory never recalled starts."""
        return memory.created_at if self.policy.clock == "created" else memory.occurred_at

    def since(self, memory: Fades) -> datetime:
        """Return when the memory's clock last started."""
        return memory.recalled_at or self.begun_at(memory)

    def strength(self, memory: Fades) -> float:
        """Return S in days."""
        return kernel.strength(memory.strength_days, memory.importance, self.policy.importance_days)

    def elapsed(self, memory: Fades, at: datetime) -> float:
        """Return t in days."""
        return kernel.elapsed_days(self.since(memory), at)

    def retention(self, memory: Fades, at: datetime) -> float:
        """Return R at a moment after the last recall; 1 for a memory that does not fade."""
        if not self.applies_to(memory):
            return 1.0
        return kernel.retention(
            self.elapsed(memory, at), self.strength(memory), floor=self.policy.floor
        )

    def survival(self, memory: Fades, now: datetime, at: datetime) -> float:
        """Return the chance that a memory held now is held at a later moment, by draws."""
        return kernel.survival(
            self.elapsed(memory, now),
            self.elapsed(memory, at),
            self.strength(memory),
            floor=self.policy.floor,
        )

    def level(self, memory: Fades) -> float:
        """Return the retention below which the memory is let go: the threshold, or its draw."""
        if self.policy.archiving == "sample":
            return kernel.draw(self.policy.seed, memory.id, self.since(memory))
        return self.policy.threshold

    def faded(self, at: datetime) -> Faded | None:
        """Return what the database can tell of memories faded at a moment, a little generously.

        ``None``: nothing, as each has a draw of its own.
        """
        policy = self.policy
        if policy.archiving == "sample":
            return None
        exponent = kernel.days_until(policy.threshold, 1.0, floor=policy.floor) * _GENEROUS
        return Faded(at, exponent, policy.clock, policy.importance_days)

    def forgets(self, memory: Fades, at: datetime) -> bool:
        """Tell whether the memory is faded at a moment; whether it is archived is another thing."""
        return self.applies_to(memory) and self.retention(memory, at) < self.level(memory)

    def fades_at(self, memory: Fades) -> datetime | None:
        """Return when the memory is faded; ``None``: never, or beyond the calendar."""
        if not self.applies_to(memory):
            return None
        days = kernel.days_until(self.level(memory), self.strength(memory), floor=self.policy.floor)
        try:
            return self.since(memory) + timedelta(days=days)
        except OverflowError:
            return None

    def factor(self, retained: float) -> float:
        """Return by what recall multiplies the score of a memory."""
        return kernel.factor(retained, self.policy.ranking)
