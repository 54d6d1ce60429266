"""How an owner's texts are read."""

from dataclasses import dataclass
from datetime import tzinfo
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from app.tenants import service as tenants
from app.tenants.schemas import Scope


@dataclass(frozen=True, slots=True)
class Language:
    """Postgres' text search configuration, the time zone of dates, and the language itself."""

    config: str
    zone: tzinfo
    code: str


async def language_of(session: AsyncSession, scope: Scope) -> Language:
    """Return how the owner's texts are stemmed and dated."""
    found = await tenants.effective_settings(session, scope)
    return Language(found.text_search_config, ZoneInfo(found.time_zone), found.language)
