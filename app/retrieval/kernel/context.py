"""Packing: what goes into a prompt when tokens are few. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

PROFILE_SHARE = 1 / 3
"""Share of the budget that the profile takes, at most."""
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
class ProfileLine:
    """One line of a profile with its price, and the memory whose words it repeats, if any."""

    text: str
    tokens: int
    memory_id: UUID | None


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
    newest = list(reversed(recent))
    first = _run(newest, round(budget * RECENT_SHARE) - heading_tokens)
    left = budget - _price(first, heading_tokens)
    taken = {one.memory_id for one in first}
    others = [one for one in recalled if one.memory_id not in taken]
    second = _fitting(others, left - heading_tokens)
    left -= _price(second, heading_tokens)
    taken |= {one.memory_id for one in second}
    # What the memories left over goes to older turns, without a gap in the conversation.
    older = [one for one in newest[len(first) :] if one.memory_id not in taken]
    third = _run(older, left if first else left - heading_tokens)
    by_time = lambda one: (one.occurred_at, one.memory_id)  # noqa: E731
    return Packed(tuple(sorted([*first, *third], key=by_time)), tuple(sorted(second, key=by_time)))


def pack_all(
    profile: Sequence[ProfileLine],
    recent: Sequence[Line],
    recalled: Sequence[Line],
    *,
    budget: int,
    profile_share: float,
    headings: tuple[int, int],
) -> tuple[Packed, tuple[ProfileLine, ...]]:
    """Choose lines of all sections.

    The profile gets its share before the others, and what they leave, a third at most together.

    Args:
        profile: its lines, the most telling first.
        recent: the session's last turns, oldest first.
        recalled: recalled memories, best first.
        budget: tokens for everything.
        profile_share: what is kept free for the profile.
        headings: price of the profile's heading, and of one of the others.
    """
    heading, _ = headings
    wanted = heading + sum(one.tokens for one in profile) if profile else 0
    kept_free = min(wanted, int(budget * profile_share))
    packed, told = _packed(profile, recent, recalled, budget, headings, held_back=kept_free)
    if kept_free and not told:
        # No line fits what was held back: it belongs to the memories.
        return _packed(profile, recent, recalled, budget, headings, held_back=0)
    return packed, told


def _packed(
    profile: Sequence[ProfileLine],
    recent: Sequence[Line],
    recalled: Sequence[Line],
    budget: int,
    headings: tuple[int, int],
    *,
    held_back: int,
) -> tuple[Packed, tuple[ProfileLine, ...]]:
    heading, other = headings
    packed = pack(recent, recalled, budget=budget - held_back, heading_tokens=other)
    left = budget - _price(packed.recent, other) - _price(packed.recalled, other)
    taken = {one.memory_id for one in (*packed.recent, *packed.recalled)}
    room = min(left, int(budget * PROFILE_SHARE))
    return packed, pack_profile(profile, taken, room=room, heading_tokens=heading)


def pack_profile(
    lines: Sequence[ProfileLine], taken: Collection[UUID], *, room: int, heading_tokens: int
) -> tuple[ProfileLine, ...]:
    """Choose lines of a profile, the first ones first; no memory that stands elsewhere."""
    kept: list[ProfileLine] = []
    seen = set(taken)
    room -= heading_tokens
    for one in lines:
        if one.tokens <= room and one.memory_id not in seen:
            room -= one.tokens
            kept.append(one)
            if one.memory_id is not None:
                seen.add(one.memory_id)
    return tuple(kept)


def _price(lines: Sequence[Line], heading_tokens: int) -> int:
    """Return what a section of these lines costs; an empty one has no heading."""
    return heading_tokens + sum(one.tokens for one in lines) if lines else 0


def _run(lines: Sequence[Line], room: int) -> list[Line]:
    """Take lines from the front up to the first that does not fit."""
    taken = []
    for one in lines:
        room -= one.tokens
        if room < 0:
            break
        taken.append(one)
    return taken


def _fitting(lines: Sequence[Line], room: int) -> list[Line]:
    """Take each line that still fits, the first ones first."""
    taken = []
    for one in lines:
        if one.tokens <= room:
            room -= one.tokens
            taken.append(one)
    return taken
