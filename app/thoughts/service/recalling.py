"""Thoughts that matter for a question, and the lists of an owner's thoughts."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.embeddings.errors import EmbedderError
from app.embeddings.protocol import Vectors
from app.kit.database import Database
from app.kit.metrics import stage
from app.memories.service import ModelTable, Spaces
from app.tenants import service as tenants
from app.tenants.schemas import OwnerName, Scope
from app.thoughts.repository import search
from app.thoughts.schemas import Found, Listing, Search
from app.thoughts.service import hashing


@dataclass(frozen=True, slots=True)
class ThoughtQuestion:
    """One recall of thoughts, checked."""

    tenant_id: UUID
    owner: OwnerName
    text: str
    limit: int
    agent_id: str | None = None
    probes: int | None = None
    with_forgotten: bool = False


async def recall(
    database: Database,
    spaces: Spaces,
    question: ThoughtQuestion,
    *,
    timeout_s: float,
    now: datetime,
) -> tuple[list[Found], bool]:
    """Return the nearest thoughts, and whether the embedder was away, so that none is found."""
    space = await spaces.current()
    vector = None
    if space.embedder is not None and space.table is not None:
        try:
            async with asyncio.timeout(timeout_s):
                vector = await space.embedder.embed_query(question.text)
        except (EmbedderError, TimeoutError):
            vector = None
    async with database.transaction() as session:
        scope = await tenants.enter(session, question.tenant_id, question.owner)
        if scope is None:
            return [], False
        if vector is None or space.table is None:
            return [], scope.keys > 0
        with stage("sql"):
            found = await nearest(
                session,
                scope,
                space.table,
                vector,
                limit=question.limit,
                agent_id=question.agent_id,
                probes=question.probes,
                with_forgotten=question.with_forgotten,
                now=now,
            )
    return found, False


async def nearest(  # noqa: PLR0913  -- one call, plain facts
    session: AsyncSession,
    scope: Scope,
    table: ModelTable,
    vector: Vectors,
    *,
    limit: int,
    now: datetime,
    agent_id: str | None = None,
    probes: int | None = None,
    with_forgotten: bool = False,
) -> list[Found]:
    """Return the thoughts nearest to a vector [d], of its best buckets, nearest first.

    None while the owner's thoughts are on their way to the vectors of another model.
    """
    hashed = await hashing.current_hash(session, scope)
    if hashed is None or hashed.model_id != table.model_id or len(vector) != hashed.dimensions:
        return []
    asked = Search(
        vector=vector,
        model_id=table.model_id,
        hash_version=hashed.version,
        buckets=hashed.probes(vector, probes),
        limit=limit,
        now=now,
        agent_id=agent_id,
        with_forgotten=with_forgotten,
    )
    return await search.recall(session, scope, asked)


async def page(session: AsyncSession, scope: Scope, asked: Listing) -> list[Found]:
    """Return an owner's thoughts, newest first."""
    return await search.page(session, scope, asked)
