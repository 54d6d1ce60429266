"""Packing: what goes into a prompt when tokens are few. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

RECENT_SHARE = 0.4
"""Share of the budget that the session's last turns take before recalled memories get theirs."""


@dataclass(frozen=True, slots=True)
class Line:
    """One memory as it would stand in the prompt, with its price."""

    memory_id: UUID
    occurred_at: datetime
    text: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Packed:
    """The lines that fit, in order of time within each section."""

    recent: tuple[Line, ...]
    recalled: tuple[Line, ...]


def line(content: str, name: str | None, occurred_at: datetime) -> str:
    """Return a memory as one line of a prompt: date, speaker, words."""
    words = " ".join(content.split())
    spoken = f"{name}: {words}" if name else words
    return f"- [{occurred_at:%Y-%m-%d %H:%M}] {spoken}"


def pack(
    recent: Sequence[Line], recalled: Sequence[Line], *, budget: int, heading_tokens: int
) -> Packed:
    """Choose lines for at most ``budget`` tokens, no memory twice.

    Args:
        recent: the session's last turns, oldest first; the newest are taken first.
        recalled: recalled memories, best first.
        budget: tokens for everything, headings included.
        heading_tokens: price of one section's heading.
    """
    left = budget
    newest = list(reversed(recent))
    first, left = _take(newest, left, heading_tokens, cap=round(budget * RECENT_SHARE))
    taken = {one.memory_id for one in first}
    others = [one for one in recalled if one.memory_id not in taken]
    second, left = _take(others, left, heading_tokens)
    taken |= {one.memory_id for one in second}
    # What the memories left over goes to older turns, without a gap in the conversation.
    older = newest[len(first) :]
    rest = [one for one in older if one.memory_id not in taken] if first else []
    third, _ = _take(rest, left, 0) if len(first) + len(rest) else ([], left)
    by_time = lambda one: (one.occurred_at, one.memory_id)  # noqa: E731
    return Packed(tuple(sorted([*first, *third], key=by_time)), tuple(sorted(second, key=by_time)))


def _take(
    lines: Sequence[Line], left: int, heading_tokens: int, *, cap: int | None = None
) -> tuple[list[Line], int]:
    """Take lines from the front while they fit; pay for the heading with the first."""
    limit = left if cap is None else min(left, cap)
    spent, taken = heading_tokens, []
    for one in lines:
        if spent + one.tokens > limit:
            if cap is not None:
                break
            continue
        spent += one.tokens
        taken.append(one)
    return (taken, left - spent) if taken else ([], left)
