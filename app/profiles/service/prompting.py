"""A profile as lines of a prompt."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.memories import service as memories
from app.profiles.kernel import documents
from app.profiles.kernel.documents import Line, Profile
from app.profiles.service import showing
from app.tenants.schemas import Scope

MOST_SHADES = 10
"""Shades that a prompt is told of."""


@dataclass(frozen=True, slots=True)
class ProfileLine:
    """A line of a profile for a prompt, and the one memory it repeats, if it repeats one."""

    text: str
    repeats: UUID | None = None


async def lines_for_prompt(
    session: AsyncSession, scope: Scope, *, now: datetime
) -> list[ProfileLine]:
    """Return the latest profile as lines, the most telling first; none before the first version.

    What stands only on memories that were archived or have expired since is left out.
    """
    _, profile = await showing.version(session, scope, None, now=now)
    quoted = (*profile.status, *profile.summary)
    held = await memories.by_ordinals(session, scope, [o for line in quoted for o in line.sources])
    ids = {memory.ordinal: memory.id for memory in held}
    found = [*_person(profile), *(_quotation(line, ids) for line in quoted)]
    unique = {line.text: line for line in reversed(found)}
    return list(reversed(unique.values()))


def _person(profile: Profile) -> list[ProfileLine]:
    """Return what is said of the person as a whole; without a model, a line for each shade."""
    if profile.biography is not None:
        texts = [profile.biography.third]
    else:
        texts = [documents.description_of(shade) for shade in profile.shades[:MOST_SHADES]]
    traits = profile.portrait.traits
    return [ProfileLine(text) for text in ([*texts, traits.text] if traits else texts)]


def _quotation(line: Line, ids: Mapping[int, UUID]) -> ProfileLine:
    text = f"[{line.day}] {line.text}" if line.day else line.text
    return ProfileLine(text, ids.get(line.sources[0]) if len(line.sources) == 1 else None)
