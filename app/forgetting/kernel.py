"""Ebbinghaus' forgetting curve, as MemoryBank uses it. Pure.

Source: Zhong et al., MemoryBank, arXiv 2305.10250: R = e^(-t/S), t in days since the last recall;
S is 1 at first and grows by 1 with each recall, which also sets t to 0. A memory is kept with
probability R.
Deviation: the published code computes e^(-t/5 · S), by which a stronger memory fades faster, and
draws anew on the whole of t at each login, so that survival falls with the number of logins. Here
the law is the paper's, and a draw holds until the next recall.
Deviation: ``importance_days``, ``floor`` and ``factor`` are ours; at 0 the law is the paper's.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from uuid import UUID

FIRST_STRENGTH_DAYS = 1.0
"""S of a memory that was never recalled."""
_DAY = timedelta(days=1)
_DRAW_BITS = 53
_DRAWS = float(1 << _DRAW_BITS)


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment from which a memory fades anew, and its strength S in days from then on."""

    at: datetime
    strength_days: float


def elapsed_days(since: datetime, at: datetime) -> float:
    """Return t in days; 0 for a moment before ``since``."""
    return max(0.0, (at - since) / _DAY)


def strength(strength_days: float, importance: float | None, importance_days: float) -> float:
    """Return S in days with what importance in [0, 1] adds to it.

    Deviation: the paper knows no importance; with ``importance_days`` 0 this is S as it is held.
    """
    return strength_days + importance_days * (importance or 0.0)


def retention(elapsed: float, strength_days: float, *, floor: float = 0.0) -> float:
    """Return R = e^(-t/S) in [floor, 1].

    Args:
        elapsed: t in days, ≥ 0.
        strength_days: S in days, > 0.
        floor: deviation, ours: R never falls below it.
    """
    return max(floor, math.exp(-elapsed / strength_days))


def survival(before: float, after: float, strength_days: float, *, floor: float = 0.0) -> float:
    """Return the chance to survive from ``before`` to ``after`` days: e^(-Δt/S).

    The chances of consecutive intervals multiply to that of the whole, however it is cut.
    """
    earlier = retention(before, strength_days, floor=floor)
    if earlier == 0.0:
        return math.exp(-(after - before) / strength_days)
    return retention(after, strength_days, floor=floor) / earlier


def draw(seed: int, memory_id: UUID, since: datetime) -> float:
    """Return a number in (0, 1] that is the same for the same seed, memory and recall.

    A memory survives while R is at least its draw. For a draw uniform in (0, 1] that is: with
    probability R(t); and with e^(-Δt/S) from one moment to the next. So it does not matter how
    often one looks, or whether a look is repeated.
    """
    text = f"{seed} {memory_id} {since.timestamp():.6f}"
    number = int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")
    return ((number >> (64 - _DRAW_BITS)) + 1) / _DRAWS


def days_until(level: float, strength_days: float, *, floor: float = 0.0) -> float:
    """Return after how many days R falls below ``level`` in [0, 1]; ∞: never."""
    if level <= floor or level == 0.0:
        return math.inf
    return -strength_days * math.log(level)


def factor(retained: float, weight: float) -> float:
    """Return by what a score is multiplied: 1 - w(1 - R), in [1 - weight, 1].

    Deviation: the paper forgets or does not; here what fades first loses in rank, within bounds.
    """
    return 1.0 - weight * (1.0 - retained)


def mark_at(marks: Sequence[Mark], moment: datetime) -> Mark | None:
    """Return what a memory faded from at a moment of its life; ``None`` before it began."""
    return next((mark for mark in reversed(marks) if mark.at <= moment), None)


def retention_along(
    marks: Sequence[Mark], moments: Sequence[datetime], *, floor: float = 0.0
) -> list[float | None]:
    """Return R at each moment of a life, given by its marks in order; ``None`` before the first."""
    held = [(mark_at(marks, moment), moment) for moment in moments]
    return [
        None
        if mark is None
        else retention(elapsed_days(mark.at, moment), mark.strength_days, floor=floor)
        for mark, moment in held
    ]
