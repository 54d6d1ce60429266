"""What users see of notes and links: of live memories only, and never of another agent's."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.embeddings.protocol import Vectors
from app.linking.errors import NoteNotFoundError
from app.linking.models import NoteEvolution, NoteRow
from app.linking.repository import evolutions, links
from app.linking.repository import notes as rows
from app.linking.schemas import (
    EvolutionRead,
    GraphRead,
    LinkFound,
    LinkRead,
    NodeRead,
    NoteRead,
    state_of,
)
from app.linking.service.tools import SPACE
from app.memories import service as memories
from app.memories.models import Memory
from app.memories.service import ModelTable
from app.tenants.schemas import Principal, Scope

_MOST_NODES = 1_000


async def note(session: AsyncSession, principal: Principal, memory_id: UUID) -> NoteRead:
    """Return what is noted of a memory.

    Raises:
        NoteNotFoundError: nothing (yet).
    """
    scope, memory = await memories.find(session, principal, memory_id)
    found = await note_of(session, scope, memory)
    columns = {name: getattr(found, name) for name in NoteRead.model_fields if name != "memory_id"}
    return NoteRead(memory_id=memory.id, **columns)


async def note_vectors(
    session: AsyncSession, scope: Scope, table: ModelTable, ordinals: Sequence[int]
) -> dict[int, Vectors]:
    """Return the vectors [d] of memories' notes by ordinal; missing ones are left out."""
    return await memories.get_vectors(session, scope, table, SPACE, ordinals)


async def note_of(session: AsyncSession, scope: Scope, memory: Memory) -> NoteRow:
    """Return the row of a memory's note."""
    found = (await rows.held(session, scope, [memory.ordinal])).get(memory.ordinal)
    if found is None:
        raise NoteNotFoundError.of(memory.id)
    return found


async def around(
    session: AsyncSession, principal: Principal, memory_id: UUID, *, depth: int, now: datetime
) -> GraphRead:
    """Return a memory's links, and with ``depth`` 2 those of what it is linked to.

    Links never lead to another agent's memories, so whoever may see the first may see all.
    """
    scope, memory = await memories.find(session, principal, memory_id)
    nodes, found = [memory.ordinal], list[LinkFound]()
    for _ in range(depth):
        found = await links.of(session, scope, nodes, now=now)
        ends = (end for one in found for end in (one.source, one.target))
        nodes = list(dict.fromkeys((memory.ordinal, *ends)))[:_MOST_NODES]
    return await _graph(session, scope, nodes, found)


async def graph(
    session: AsyncSession, scope: Scope, *, agent_id: str | None, limit: int, now: datetime
) -> GraphRead:
    """Return an owner's latest memories that have a note, and the links between them."""
    nodes = await rows.newest(session, scope, agent_id=agent_id, limit=limit, now=now)
    return await _graph(session, scope, nodes, await links.of(session, scope, nodes, now=now))


async def _graph(
    session: AsyncSession, scope: Scope, nodes: Sequence[int], found: Sequence[LinkFound]
) -> GraphRead:
    notes = await rows.held(session, scope, nodes)
    held = {m.ordinal: m for m in await memories.by_ordinals(session, scope, list(notes))}
    shown = [ordinal for ordinal in nodes if ordinal in held]
    return GraphRead(
        nodes=[_node(held[ordinal], notes[ordinal]) for ordinal in shown],
        links=[_link(held, one) for one in found if one.source in held and one.target in held],
    )


def _node(memory: Memory, row: NoteRow) -> NodeRead:
    return NodeRead(
        id=memory.id,
        content=memory.content,
        keywords=row.keywords,
        tags=row.tags,
        context=row.context,
    )


def _link(held: dict[int, Memory], one: LinkFound) -> LinkRead:
    return LinkRead(
        source=held[one.source].id,
        target=held[one.target].id,
        kind=one.kind,
        reason=one.reason,
        weight=one.weight,
        generated_by=one.generated_by,
    )


async def history(
    session: AsyncSession, principal: Principal, memory_id: UUID, *, after: int, limit: int
) -> Sequence[tuple[int, EvolutionRead]]:
    """Return how a memory's note evolved, oldest first, with the number of each change."""
    scope, memory = await memories.find(session, principal, memory_id)
    found = await evolutions.of(session, scope, memory.ordinal, after=after, limit=limit)
    causes = [one.trigger_ordinal for one in found]
    ids = {m.ordinal: m.id for m in await memories.by_ordinals(session, scope, causes)}
    return [(one.evolution_no, read(one, ids[one.trigger_ordinal])) for one in found]


def read(row: NoteEvolution, trigger_id: UUID) -> EvolutionRead:
    """Return a change as users see it."""
    return EvolutionRead(
        id=row.id,
        action=row.action,
        trigger_id=trigger_id,
        before=state_of(row.before),
        after=state_of(row.after),
        generated_by=row.generated_by,
        at=row.at,
        reverted_at=row.reverted_at,
    )


async def linked_to(
    session: AsyncSession, scope: Scope, ordinals: Sequence[int], *, now: datetime
) -> list[LinkFound]:
    """Return the links of live memories, strongest first; for recall."""
    return await links.of(session, scope, ordinals, now=now)
