"""What was made of erased memories goes with them, and of changed ones before it is made anew."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from app.kit import clock
from app.memories.models import Memory
from app.profiles.kernel import documents
from app.profiles.models import ProfileVersion, Shade
from app.profiles.repository import days, shades, states, versions
from app.profiles.schemas import LINES, PORTRAIT, PROFILE, SHADE
from app.tenants.schemas import Scope


async def gone(session: AsyncSession, scope: Scope, ordinals: Sequence[int]) -> None:
    """Remove what was made of memories that are about to be erased; a job makes it anew.

    Terms and lines stay where other memories bear them out.
    """
    state = await states.get(session, scope)
    if state is None or not ordinals:
        return
    erased = frozenset(ordinals)
    await _from_days(session, scope, erased)
    await _from_shades(session, scope, erased)
    await _from_versions(session, scope, erased)
    state.changes += len(erased)
    state.erasures += 1
    state.is_forced = state.version > 0
    state.next_close_at = clock.now()
    await session.flush()


async def outdated_days(session: AsyncSession, scope: Scope, changed: Sequence[Memory]) -> None:
    """Remove what summaries say of memories as they were; made anew once they are made at all."""
    await _from_days(session, scope, frozenset(memory.ordinal for memory in changed))


async def outdated_profile(session: AsyncSession, scope: Scope, changed: Sequence[Memory]) -> None:
    """Remove what shades and the latest version of the profile say of memories as they were."""
    state = await states.get(session, scope)
    if state is None:
        return
    ordinals = frozenset(memory.ordinal for memory in changed)
    await _from_shades(session, scope, ordinals)
    latest = await versions.get(session, scope)
    if latest is not None:
        _strip_version(latest, ordinals)
    state.is_forced = state.version > 0
    await session.flush()


async def _from_days(session: AsyncSession, scope: Scope, erased: frozenset[int]) -> None:
    loses = documents.erasing(erased)
    for day in await days.made_of(session, scope, sorted(erased)):
        lines = documents.lines_without(LINES.validate_python(day.lines), loses)
        day.lines = LINES.dump_python(list(lines), mode="json")
        if day.portrait:
            portrait = PORTRAIT.validate_python(day.portrait)
            portrait = documents.portrait_without(portrait, erased, loses)
            day.portrait = PORTRAIT.dump_python(portrait, mode="json")
        day.source_ordinals = [o for o in day.source_ordinals if o not in erased]
        day.digest, day.is_stale = None, True


async def _from_shades(session: AsyncSession, scope: Scope, erased: frozenset[int]) -> None:
    places = await shades.places(session, scope, sorted(erased))
    left = {shade_id for shade_id in places.values() if shade_id is not None}
    for shade in await shades.made_of(session, scope, sorted(erased)):
        _strip(shade, erased)
    await session.flush()
    await shades.recount(session, scope, sorted(left))


def _strip(shade: Shade, erased: frozenset[int]) -> None:
    document = {name: value for name, value in shade.document.items() if name != "merged"}
    kept = None
    if "terms" in document:
        loses = documents.erasing(erased)
        kept = documents.shade_without(SHADE.validate_python(document), erased, loses)
    shade.document = SHADE.dump_python(kept, mode="json") if kept is not None else {}
    shade.source_ordinals = sorted(documents.sources_of_shade(kept)) if kept is not None else []
    shade.is_stale = True


async def _from_versions(session: AsyncSession, scope: Scope, erased: frozenset[int]) -> None:
    for version in await versions.made_of(session, scope, sorted(erased)):
        _strip_version(version, erased)


def _strip_version(version: ProfileVersion, gone: frozenset[int]) -> None:
    loses = documents.erasing(gone)
    kept = documents.without(PROFILE.validate_python(version.document), gone, loses)
    version.document = PROFILE.dump_python(kept, mode="json")
    version.source_ordinals = documents.sources_of(kept)
