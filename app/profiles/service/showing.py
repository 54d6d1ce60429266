"""What is held of profiles and days, less what stands on nothing that is live.

An archived memory leaves what is made anew later; what was made before leaves it out here, at once,
in old versions too. Restored, it is shown again.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.memories import service as memories
from app.profiles.errors import ProfileVersionNotFoundError
from app.profiles.kernel import documents
from app.profiles.kernel.documents import Line, Portrait, Profile
from app.profiles.models import DaySummary, ProfileVersion
from app.profiles.repository import versions
from app.profiles.schemas import LINES, PORTRAIT, PROFILE
from app.tenants.schemas import Scope


async def version(
    session: AsyncSession, scope: Scope, number: int | None, *, now: datetime
) -> tuple[ProfileVersion | None, Profile]:
    """Return a version as it may be shown, the latest unless one is named; empty before the first.

    Raises:
        ProfileVersionNotFoundError: there is no such version.
    """
    row = await versions.get(session, scope, number)
    if row is None and number not in {None, 0}:
        assert number is not None
        raise ProfileVersionNotFoundError.of(number)
    if row is None:
        return None, Profile()
    profile = PROFILE.validate_python(row.document)
    hidden = await memories.hidden(session, scope, documents.sources_of(profile), now=now)
    if not hidden:
        return row, profile
    return row, documents.without(profile, hidden, documents.hiding(hidden))


ShownDay = tuple[Sequence[Line], Portrait]


async def days(
    session: AsyncSession, scope: Scope, rows: Sequence[DaySummary], *, now: datetime
) -> list[ShownDay | None]:
    """Return the lines and the portrait of each day as they may be shown.

    ``None`` where a day had something to tell, and nothing of it may be shown.
    """
    held = [
        (LINES.validate_python(row.lines), PORTRAIT.validate_python(row.portrait)) for row in rows
    ]
    cited = {source for day in held for source in _sources(day)}
    hidden = await memories.hidden(session, scope, cited, now=now)
    loses = documents.hiding(hidden)
    shown: list[ShownDay | None] = []
    for lines, portrait in held:
        left = (
            documents.lines_without(lines, loses),
            documents.portrait_without(portrait, hidden, loses),
        )
        is_lost = _sources((lines, portrait)) and not _sources(left)
        shown.append(None if is_lost else left)
    return shown


def _sources(day: ShownDay) -> set[int]:
    lines, portrait = day
    cited = {source for line in lines for source in line.sources}
    return cited | documents.sources_of_portrait(portrait)
