"""A version of a profile: shades, biography, portrait and summary, put together and kept."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.jobs.protocol import TaskContext
from app.jobs.service import Asides
from app.kit import clock
from app.memories import service as memories
from app.memories.service import OwnerGoneError
from app.profiles.kernel import clusters, documents, extracts
from app.profiles.kernel.documents import Biography, Line, Portrait, Profile, Shade
from app.profiles.kernel.extracts import Sentence
from app.profiles.models import DaySummary, ProfileState, ProfileVersion
from app.profiles.repository import days, shades, versions
from app.profiles.schemas import LINES, PORTRAIT, PROFILE, SHADE
from app.profiles.service import asking, dressing, finding, following, sentences
from app.profiles.service.scopes import Subject, Workshop, subject

EXTRACT = "deterministic:extract"
SHADES = "deterministic:shades"
MOST_SHADES = 50
MOST_DAYS = 400
"""The latest days that portrait and summary are made of."""
_MOST_LINES = 12
_MOST_KEYWORDS = 12
_MOST_NAMES = 10
_MOST_SOURCES = 50
_RECENT_DAYS = 3


async def refresh(context: TaskContext, shop: Workshop) -> None:
    """Follow an owner's memories; make a new version of the profile when enough has changed.

    What a language model fails on, a shade or the biography, stays as it was, and fails the attempt
    at its end.
    """
    await following.follow(context, shop.spaces)
    found = await subject(context, shop)
    if found is None:
        return
    whose, state = found
    if not whose.local.policies.mechanisms.profiles or not is_due(state, shop):
        return
    try:
        has_news = state.changes > 0 or state.wants_full
        is_full = has_news and await finding.renew(whose, state)
        asides = Asides[UUID | str](OwnerGoneError)
        await dressing.dress(whose, asides)
        if not await context.is_cancelled():
            await _compose(whose, asides, is_full=is_full, seen=state.changes)
            asides.close(context)
    except OwnerGoneError:
        return


def is_due(state: ProfileState, shop: Workshop) -> bool:
    """Tell whether a profile is to be renewed.

    Its cost grows with what it stands on, and so does the number of changes it waits for: the
    cost of one write stays the same.
    """
    if state.is_forced or state.wants_full:
        return True
    return state.changes >= max(1.0, shop.settings.refresh_share * state.members)


async def _compose(whose: Subject, asides: Asides[UUID | str], *, is_full: bool, seen: int) -> None:
    """Make a version of what there is; where that is not the whole the profile stays due."""
    async with whose.reading() as session:
        last = await versions.get(session, whose.scope)
        held = await _shades(session, whose)
        made = await days.made(session, whose.scope, limit=MOST_DAYS)
        read = await _day_sentences(session, whose, made)
        members = await shades.count_members(session, whose.scope)
        before = PROFILE.validate_python(last.document) if last is not None else Profile()
        earlier = await _standing(session, whose, last, before.biography)
    profile = replace(_extracted(made, read), shades=tuple(held))
    with asides.trying("summary"):
        profile = await _written(whose, before, profile, made)
    biography = earlier
    with asides.trying("biography"):
        biography = await _biography(whose, before, held)
    profile = replace(profile, biography=biography)
    async with whose.writing() as (session, state):
        document = PROFILE.dump_python(profile, mode="json")
        if last is None or document != last.document:
            state.version += 1
            session.add(_version(whose, state.version, profile, is_full=is_full))
            await session.flush()
            await versions.prune(session, whose.scope, keep=whose.shop.settings.keep_versions)
        if is_full:
            state.full_version, state.wants_full = state.version, False
        state.changes = max(0, state.changes - seen)
        state.members, state.is_forced, state.updated_at = members, bool(asides.pieces), clock.now()


async def _shades(session: AsyncSession, whose: Subject) -> list[Shade]:
    """Return the shades by size, with their confidence among each other."""
    stored = await shades.everyone(session, whose.scope)
    told = [one for one in stored if "terms" in one.document][:MOST_SHADES]
    read = [replace(SHADE.validate_python(one.document), size=one.size) for one in told]
    levels = clusters.confidences([shade.size for shade in read])
    return [replace(one, confidence=level) for one, level in zip(read, levels, strict=True)]


async def _day_sentences(
    session: AsyncSession, whose: Subject, made: Sequence[DaySummary]
) -> list[Sentence]:
    """Return the lines of days, earliest first, as sentences of stems."""
    lines = [line for day in reversed(made) for line in LINES.validate_python(day.lines)]
    cited = {source for line in lines for source in line.sources}
    known = await memories.lexemes(session, whose.scope, sorted(cited))
    return [sentences.of_line(line, known, whose.local) for line in lines]


def _extracted(made: Sequence[DaySummary], read: Sequence[Sentence]) -> Profile:
    """Return portrait, summary and status as they are without a language model."""
    lines = [line for day in reversed(made) for line in LINES.validate_python(day.lines)]
    chosen = extracts.central(read, _MOST_LINES)
    recent = {day.day for day in made[:_RECENT_DAYS]}
    status: dict[date, Line] = {}
    for line in lines:
        if line.day in recent and line.day is not None:
            status.setdefault(line.day, line)
    return Profile(
        portrait=_counted([PORTRAIT.validate_python(day.portrait) for day in made]),
        summary=tuple(lines[i] for i in chosen),
        status=tuple(status.values()),
    )


def _counted(each: Sequence[Portrait]) -> Portrait:
    hours = [sum(one.hours[hour] for one in each) for hour in range(24)]
    keywords = [term for one in reversed(each) for term in one.keywords]
    names = [term for one in reversed(each) for term in one.names]
    return Portrait(
        keywords=tuple(extracts.joined(keywords, most=_MOST_KEYWORDS, sources=_MOST_SOURCES)),
        names=tuple(extracts.joined(names, most=_MOST_NAMES, sources=_MOST_SOURCES)),
        hours=tuple(hours),
        days=len(each),
    )


async def _standing(
    session: AsyncSession, whose: Subject, last: ProfileVersion | None, written: Biography | None
) -> Biography | None:
    """Return the biography before, as what it is, if its sources are still as they were then."""
    if last is None or written is None:
        return None
    held = await memories.by_ordinals(session, whose.scope, written.sources)
    same = [m for m in held if m.archived_at is None and m.updated_at <= last.created_at]
    return replace(written, is_current=False) if len(same) == len(written.sources) else None


async def _biography(whose: Subject, before: Profile, held: Sequence[Shade]) -> Biography | None:
    """Return the biography of these shades; the one before if they are what they were."""
    if whose.shop.llm is None or not held:
        return None
    old = before.biography
    if old is not None and old.is_current and before.shades == tuple(held):
        return old
    return await asking.biography(whose, whose.shop.llm, held)


async def _written(
    whose: Subject, before: Profile, profile: Profile, made: Sequence[DaySummary]
) -> Profile:
    """Let a language model condense the days, unless they are what they were."""
    if whose.shop.llm is None or not made:
        return profile
    basis = _basis(made)
    if before.basis == basis:
        old = before.portrait
        portrait = replace(
            profile.portrait,
            traits=old.traits,
            mood=old.mood,
            strategy=old.strategy,
            generated_by=old.generated_by,
        )
        return replace(
            profile,
            basis=basis,
            portrait=portrait,
            summary=before.summary,
            summary_by=before.summary_by,
        )
    by = f"llm:{whose.shop.llm.model}"
    lines = [line for day in reversed(made) for line in LINES.validate_python(day.lines)]
    summary = await asking.summary(whose, whose.shop.llm, lines)
    each = {day.day: PORTRAIT.validate_python(day.portrait) for day in reversed(made)}
    traits = await asking.portrait(whose, whose.shop.llm, each)
    if summary:
        profile = replace(profile, summary=tuple(summary), summary_by=by)
    if any(traits.values()):
        portrait = replace(
            profile.portrait,
            traits=traits.get("traits"),
            mood=traits.get("mood"),
            strategy=traits.get("strategy"),
            generated_by=by,
        )
        profile = replace(profile, portrait=portrait)
    return replace(profile, basis=basis)


def _basis(made: Sequence[DaySummary]) -> str:
    digest = hashlib.sha256()
    for day in made:
        digest.update(f"{day.day} ".encode() + (day.digest or b""))
    return digest.hexdigest()


def _version(whose: Subject, version: int, profile: Profile, *, is_full: bool) -> ProfileVersion:
    return ProfileVersion(
        owner_id=whose.scope.owner_id,
        version=version,
        is_full=is_full,
        document=PROFILE.dump_python(profile, mode="json"),
        source_ordinals=documents.sources_of(profile),
        generated_by=generated_by(profile),
        created_at=clock.now(),
    )


def generated_by(profile: Profile) -> str:
    """Return what made most of a profile's text."""
    return profile.biography.generated_by if profile.biography is not None else SHADES
