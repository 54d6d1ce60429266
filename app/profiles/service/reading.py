"""Profiles as callers see them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.kit import clock
from app.memories import service as memories
from app.profiles.kernel import documents
from app.profiles.kernel.documents import Line, Portrait, Profile, Shade
from app.profiles.models import DaySummary
from app.profiles.repository import days, versions
from app.profiles.schemas import (
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
from app.profiles.service import showing
from app.profiles.service.composing import SHADES
from app.tenants.schemas import Scope

Ids = Mapping[int, UUID]


async def read_profile(
    session: AsyncSession, scope: Scope, version: int | None = None
) -> ProfileRead:
    """Return a version of a profile, the latest unless one is named.

    Raises:
        ProfileVersionNotFoundError: there is no such version.
    """
    row, profile = await showing.version(session, scope, version, now=clock.now())
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
        is_current=profile.biography is None or profile.biography.is_current,
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
    now = clock.now()
    _, old = await showing.version(session, scope, from_version, now=now)
    _, new = await showing.version(session, scope, to_version, now=now)
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
    """Return summarised days, earliest first; those of which nothing may be shown are left out."""
    found: list[DayRead] = []
    is_more = True
    while is_more:
        rows = await days.page(session, scope, since=since, until=until, after=after, limit=limit)
        found += await _days(session, scope, rows)
        is_more = len(rows) == limit and len(found) < limit
        after = rows[-1].day.toordinal() if rows else after
    return found[:limit]


async def _days(session: AsyncSession, scope: Scope, rows: Sequence[DaySummary]) -> list[DayRead]:
    shown = await showing.days(session, scope, rows, now=clock.now())
    each = [(row, one) for row, one in zip(rows, shown, strict=True) if one is not None]
    cited = {source for _, (lines, _) in each for line in lines for source in line.sources}
    ids = await _ids(session, scope, cited)
    return [_day(row, lines, portrait, ids) for row, (lines, portrait) in each]


def _day(row: DaySummary, lines: Sequence[Line], portrait: Portrait, ids: Ids) -> DayRead:
    assert row.generated_by is not None
    return DayRead(
        day=row.day,
        lines=[_line(line, ids) for line in lines],
        portrait=_portrait(portrait),
        generated_by=row.generated_by,
        updated_at=row.updated_at,
    )
