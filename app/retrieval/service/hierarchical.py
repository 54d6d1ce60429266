"""The recipe ``hierarchical``: first the segments that a question is about, then their turns."""

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from app.embeddings.protocol import Vectors
from app.memories.service import ModelTable
from app.retrieval.repository.filters import Narrowing
from app.segmentation import service as segmentation
from app.tenants.schemas import Scope


async def within(
    session: AsyncSession,
    scope: Scope,
    narrowing: Narrowing,
    *,
    vector: Vectors,
    table: ModelTable,
    segments: int,
) -> Narrowing:
    """Narrow to the most relevant segments, and to what is in no segment yet.

    Nothing is narrowed where there are no segments. Shape of ``vector``: [d].
    """
    found = await segmentation.relevant(session, scope, table, vector, k=segments)
    return narrowing if found is None else replace(narrowing, within=found)
