"""What finding topics and keeping them up to date share."""

from collections.abc import Sequence
from uuid import UUID

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from app.embeddings.protocol import Vectors
from app.kit import clock
from app.profiles.kernel.documents import Shade as ShadeDocument
from app.profiles.models import Shade
from app.profiles.schemas import SHADE
from app.profiles.service.scopes import Subject

SAMPLE = 2_000
"""Memories that topics are found from; of more, so many spread evenly over time."""


def evenly(ordinals: Sequence[int], most: int) -> list[int]:
    """Return at most so many, spread evenly."""
    if len(ordinals) <= most:
        return list(ordinals)
    return [ordinals[i * len(ordinals) // most] for i in range(most)]


def add_up(
    session: AsyncSession,
    whose: Subject,
    shade: Shade | None,
    shade_id: UUID,
    total: Vectors,
    size: int,
) -> None:
    """Store a topic's counts; its texts are to be made anew."""
    if shade is None:
        shade = Shade(owner_id=whose.scope.owner_id, id=shade_id, document={}, source_ordinals=[])
        session.add(shade)
    shade.total = total.astype(np.float32).tobytes()
    shade.size = size
    shade.is_stale = True
    shade.needs_recount = False
    shade.updated_at = clock.now()


def earlier(shade: Shade) -> list[ShadeDocument]:
    """Return the documents that a shade's new texts go on from: its own, and merged ones."""
    if not shade.document:
        return []
    own = {name: value for name, value in shade.document.items() if name != "merged"}
    texts = [own] if "terms" in own else []
    return [SHADE.validate_python(one) for one in [*texts, *shade.document.get("merged", [])]]
