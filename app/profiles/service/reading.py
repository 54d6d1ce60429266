"""Profiles as callers see them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.memories import service as memories
from app.memories.models import Memory
from app.profiles.errors import ProfileVersionNotFoundError
from app.profiles.kernel import documents
from app.profiles.kernel.documents import Line, Portrait, Profile, Shade
from app.profiles.models import DaySummary, ProfileVersion
from app.profiles.repository import days, versions
from app.profiles.schemas import (
    LINES,
    PORTRAIT,
    PROFILE,
    BiographyRead,
    DayRead,
    LineRead,
    MomentRead,
    PortraitRead,
    ProfileDiff,
    ProfileRead,
    ShadeChange,
    ShadeRead,
    TermRead,
    TextChange,
    VersionRead,
)
from app.profiles.service.composing import SHADES
from app.tenants.schemas import Scope

Ids = Mapping[int, UUID]
MOST_SHADES = 10
"""Shades that a prompt is told of."""


async def read_profile(
    session: AsyncSession, scope: Scope, version: int | None = None
) -> ProfileRead:
    """Return a version of a profile, the latest unless one is named.

    Raises:
        ProfileVersionNotFoundError: there is no such version.
    """
    row, profile = await _version(session, scope, version)
    ids = await _ids(session, scope, _quoted(profile))
    return ProfileRead(
        version=row.version if row else 0,
        created_at=row.created_at if row else None,
        generated_by=row.generated_by if row else None,
        biography=_biography(profile),
        status=[_line(line, ids) for line in profile.status],
        portrait=_portrait(profile.portrait),
        summary=[_line(line, ids) for line in profile.summary],
        shades=[_shade(shade, ids) for shade in profile.shades],
    )


async def _version(
    session: AsyncSession, scope: Scope, version: int | None
) -> tuple[ProfileVersion | None, Profile]:
    row = await versions.get(session, scope, version)
    if row is None and version not in {None, 0}:
        assert version is not None
        raise ProfileVersionNotFoundError.of(version)
    return row, PROFILE.validate_python(row.document) if row else Profile()


def _quoted(profile: Profile) -> set[int]:
    """Return the sources that are shown by id; timelines hold theirs."""
    lines = [*profile.status, *profile.summary]
    lines += [line for shade in profile.shades for line in shade.quotes]
    found = {source for line in lines for source in line.sources}
    return found | {s for shade in profile.shades if shade.wording for s in shade.wording.sources}


async def _ids(session: AsyncSession, scope: Scope, ordinals: Iterable[int]) -> Ids:
    held = await memories.by_ordinals(session, scope, sorted(ordinals))
    return {memory.ordinal: memory.id for memory in held}


def _line(line: Line, ids: Ids) -> LineRead:
    return LineRead(day=line.day, text=line.text, source_ids=_known(line.sources, ids))


def _known(sources: Sequence[int], ids: Ids) -> list[UUID]:
    return [ids[source] for source in sources if source in ids]


def _biography(profile: Profile) -> BiographyRead:
    return BiographyRead(
        third_person=documents.biography_of(profile),
        second_person=documents.biography_of(profile, second=True),
        generated_by=profile.biography.generated_by if profile.biography else SHADES,
    )


def _portrait(portrait: Portrait) -> PortraitRead:
    return PortraitRead(
        keywords=[TermRead(text=term.text, count=term.count) for term in portrait.keywords],
        names=[TermRead(text=term.text, count=term.count) for term in portrait.names],
        active_hours=list(portrait.hours),
        days=portrait.days,
        traits=portrait.traits.text if portrait.traits else None,
        mood=portrait.mood.text if portrait.mood else None,
        strategy=portrait.strategy.text if portrait.strategy else None,
        generated_by=portrait.generated_by,
    )


def _shade(shade: Shade, ids: Ids) -> ShadeRead:
    wording = shade.wording
    quoted = [source for line in shade.quotes for source in line.sources]
    return ShadeRead(
        id=UUID(shade.id),
        name=documents.name_of(shade),
        aspect=wording.aspect if wording else None,
        icon=wording.icon if wording else None,
        description=documents.description_of(shade),
        description_second_person=documents.description_of(shade, second=True),
        content=documents.content_of(shade),
        content_second_person=documents.content_of(shade, second=True),
        confidence=shade.confidence,
        size=shade.size,
        timeline=[
            MomentRead(at=one.at, text=one.text, memory_id=UUID(one.memory_id))
            for one in shade.timeline
        ],
        source_ids=_known(wording.sources if wording else quoted, ids),
        merged_from=[UUID(one) for one in shade.merged_from],
        generated_by=wording.generated_by if wording else "deterministic:c-tf-idf",
    )


async def list_versions(
    session: AsyncSession, scope: Scope, *, before: int | None, limit: int
) -> list[VersionRead]:
    """Return versions, the latest first."""
    rows = await versions.page(session, scope, before=before, limit=limit)
    return [
        VersionRead(
            version=row.version,
            created_at=row.created_at,
            is_full=row.is_full,
            shades=len(row.document["shades"]),
            generated_by=row.generated_by,
        )
        for row in rows
    ]


async def diff(
    session: AsyncSession, scope: Scope, from_version: int, to_version: int
) -> ProfileDiff:
    """Return what differs between two versions.

    Raises:
        ProfileVersionNotFoundError: there is no such version.
    """
    _, old = await _version(session, scope, from_version)
    _, new = await _version(session, scope, to_version)
    ids = await _ids(session, scope, _quoted(old) | _quoted(new))
    before = {shade.id: shade for shade in old.shades}
    after = {shade.id: shade for shade in new.shades}
    changes = [_changed(before[one], after[one]) for one in after if one in before]
    said, says = ({line.text: None for line in one.summary} for one in (old, new))
    return ProfileDiff(
        from_version=from_version,
        to_version=to_version,
        biography=_text_change(documents.biography_of(old), documents.biography_of(new)),
        shades_added=[_shade(after[one], ids) for one in after if one not in before],
        shades_removed=[_shade(before[one], ids) for one in before if one not in after],
        shades_changed=[one for one in changes if one is not None],
        summary_added=[text for text in says if text not in said],
        summary_removed=[text for text in said if text not in says],
    )


def _changed(old: Shade, new: Shade) -> ShadeChange | None:
    found = ShadeChange(
        id=UUID(new.id),
        name=_text_change(documents.name_of(old), documents.name_of(new)),
        description=_text_change(documents.description_of(old), documents.description_of(new)),
        content=_text_change(documents.content_of(old), documents.content_of(new)),
        size=[old.size, new.size],
        confidence=[old.confidence, new.confidence],
    )
    is_same = old.size == new.size and old.confidence == new.confidence
    texts = (found.name, found.description, found.content)
    return None if is_same and not any(texts) else found


def _text_change(before: str, after: str) -> TextChange | None:
    return None if before == after else TextChange(before=before, after=after)


async def list_days(
    session: AsyncSession,
    scope: Scope,
    *,
    since: date | None,
    until: date | None,
    after: int | None,
    limit: int,
) -> list[DayRead]:
    """Return summarised days, earliest first."""
    rows = await days.page(session, scope, since=since, until=until, after=after, limit=limit)
    lines = {row.day: LINES.validate_python(row.lines) for row in rows}
    cited = {source for each in lines.values() for line in each for source in line.sources}
    ids = await _ids(session, scope, cited)
    return [_day(row, lines[row.day], ids) for row in rows]


def _day(row: DaySummary, lines: Sequence[Line], ids: Ids) -> DayRead:
    assert row.generated_by is not None
    return DayRead(
        day=row.day,
        lines=[_line(line, ids) for line in lines],
        portrait=_portrait(PORTRAIT.validate_python(row.portrait)),
        generated_by=row.generated_by,
        updated_at=row.updated_at,
    )


@dataclass(frozen=True, slots=True)
class ProfileLine:
    """A line of a profile for a prompt, and the one memory it repeats, if it repeats one."""

    text: str
    repeats: UUID | None = None


async def lines_for_prompt(
    session: AsyncSession, scope: Scope, *, now: datetime
) -> list[ProfileLine]:
    """Return the latest profile as lines, the most telling first; none before the first version.

    What was made of memories that were archived or have expired since is left out.
    """
    _, profile = await _version(session, scope, None)
    cited = {source for line in (*profile.status, *profile.summary) for source in line.sources}
    held = await memories.by_ordinals(session, scope, sorted(cited))
    ids = {memory.ordinal: memory.id for memory in held if _is_live(memory, now)}
    found = _person(profile)
    for line in (*profile.status, *profile.summary):
        if all(source in ids for source in line.sources):
            found.append(_quotation(line, ids))
    unique = {line.text: line for line in reversed(found)}
    return list(reversed(unique.values()))


def _is_live(memory: Memory, now: datetime) -> bool:
    is_expired = memory.expires_at is not None and memory.expires_at <= now
    return memory.archived_at is None and not is_expired


def _person(profile: Profile) -> list[ProfileLine]:
    """Return what is said of the person as a whole; without a model, a line for each shade."""
    if profile.biography is not None:
        texts = [profile.biography.third]
    else:
        texts = [documents.description_of(shade) for shade in profile.shades[:MOST_SHADES]]
    traits = profile.portrait.traits
    return [ProfileLine(text) for text in ([*texts, traits.text] if traits else texts)]


def _quotation(line: Line, ids: Ids) -> ProfileLine:
    text = f"[{line.day}] {line.text}" if line.day else line.text
    return ProfileLine(text, ids[line.sources[0]] if len(line.sources) == 1 else None)
