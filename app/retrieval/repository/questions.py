"""What a question says, as the keyword index reads it."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

_COUNT = sa.text("SELECT length(to_tsvector(CAST(:config AS regconfig), :text))")


async def count_stems(session: AsyncSession, text: str, *, config: str) -> int:
    """Return how many different stems a text has, stop words left out."""
    found = await session.execute(_COUNT, {"config": config, "text": text})
    return int(found.scalar_one())
