"""Notes, links and evolutions over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from app.kit import clock
from app.kit.errors import InvalidCursorError
from app.kit.openapi import problems
from app.kit.pagination import Page, decode_cursor, trim
from app.linking import service
from app.linking.errors import EvolutionNotFoundError, NoteChangedError, NoteNotFoundError
from app.linking.schemas import (
    EvolutionQuery,
    EvolutionRead,
    GraphQuery,
    GraphRead,
    LinkQuery,
    NoteRead,
)
from app.memories.errors import MemoryNotFoundError, OwnerBusyError
from app.tenants import service as tenants
from app.tenants.dependencies import ReaderDep, SessionDep, WriterDep
from app.tenants.errors import OtherOwnerError, OwnerNotFoundError
from app.tenants.schemas import AgentId, Principal, UserId

router = APIRouter(prefix="/v1", tags=["notes and links"])


@router.get(
    "/memories/{memory_id}/note", responses=problems(MemoryNotFoundError, NoteNotFoundError)
)
async def read_note(session: SessionDep, principal: ReaderDep, memory_id: UUID) -> NoteRead:
    """Return what is noted of a memory: keywords, tags, a context sentence."""
    return await service.read_note(session, principal, memory_id)


@router.get("/memories/{memory_id}/links", responses=problems(MemoryNotFoundError))
async def read_links(
    session: SessionDep,
    principal: ReaderDep,
    memory_id: UUID,
    asked: Annotated[LinkQuery, Query()],
) -> GraphRead:
    """Return a memory's links, strongest first, and the memories at their ends.

    Archived and expired memories are left out.
    """
    return await service.around(session, principal, memory_id, depth=asked.depth, now=clock.now())


@router.get(
    "/memories/{memory_id}/evolutions", responses=problems(MemoryNotFoundError, InvalidCursorError)
)
async def list_evolutions(
    session: SessionDep,
    principal: ReaderDep,
    memory_id: UUID,
    asked: Annotated[EvolutionQuery, Query()],
) -> Page[EvolutionRead]:
    """List how a memory's note changed because of others, oldest first."""
    after = decode_cursor(asked.cursor, bits=31) or 0
    found = await service.history(session, principal, memory_id, after=after, limit=asked.limit + 1)
    found, following = trim(found, asked.limit, lambda one: one[0])
    return Page[EvolutionRead](items=[one for _, one in found], next_cursor=following)


@router.post(
    "/memories/{memory_id}/evolutions/{evolution_id}:revert",
    responses=problems(
        MemoryNotFoundError,
        EvolutionNotFoundError,
        NoteNotFoundError,
        NoteChangedError,
        OwnerBusyError,
    ),
)
async def revert_evolution(
    session: SessionDep,
    principal: WriterDep,
    memory_id: UUID,
    evolution_id: Annotated[UUID, Path(description="The change, as the list of them names it.")],
) -> EvolutionRead:
    """Undo one change of a note: its words, and the links it made."""
    return await service.revert(session, principal, memory_id, evolution_id, now=clock.now())


@router.get("/users/{user_id:path}/graph", responses=problems(OwnerNotFoundError, OtherOwnerError))
async def read_user_graph(
    session: SessionDep,
    principal: ReaderDep,
    user_id: UserId,
    asked: Annotated[GraphQuery, Query()],
) -> GraphRead:
    """Return a user's latest memories with their notes, and the links between them."""
    return await _graph(session, principal, user_id, asked)


@router.get(
    "/agents/{agent_id:path}/graph", responses=problems(OwnerNotFoundError, OtherOwnerError)
)
async def read_agent_graph(
    session: SessionDep,
    principal: ReaderDep,
    agent_id: AgentId,
    limit: Annotated[int, Query(ge=1, le=1_000, description="Nodes, at most.")] = 200,
) -> GraphRead:
    """Return an agent's own latest memories with their notes, and the links between them."""
    return await _graph(session, principal, None, GraphQuery(agent_id=agent_id, limit=limit))


async def _graph(
    session: SessionDep, principal: Principal, user_id: str | None, asked: GraphQuery
) -> GraphRead:
    owner = tenants.name_owner(principal, user_id, asked.agent_id)
    scope = await tenants.enter_known(session, principal.tenant_id, owner)
    return await service.graph(
        session,
        scope,
        agent_id=asked.agent_id if owner.kind == "user" else None,
        limit=asked.limit,
        now=clock.now(),
    )
