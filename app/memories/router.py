"""Single memories over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, status

from app.embeddings.errors import EmbedderRefusedError, EmbedderUnavailableError
from app.kit import clock
from app.kit.body import check_content, check_metadata
from app.kit.errors import InvalidCursorError, InvalidItemError, LimitExceededError
from app.kit.openapi import problems
from app.kit.pagination import Page, PageCursor, PageLimit, decode_cursor, trim
from app.memories import service
from app.memories.dependencies import DerivationsDep, MemoryWriterDep, SpacesDep
from app.memories.errors import (
    MemoryArchivedError,
    MemoryNotFoundError,
    ModelNotConfiguredError,
    OwnerBusyError,
)
from app.memories.models import Memory
from app.memories.schemas import (
    EmbeddingModelRead,
    EventRead,
    MemoryList,
    MemoryRead,
    MemoryUpdate,
    Reembed,
    ReembedStarted,
)
from app.tenants import service as tenants
from app.tenants.dependencies import (
    DatabaseDep,
    OperatorDep,
    ReaderDep,
    SessionDep,
    SettingsDep,
    WriterDep,
)
from app.tenants.errors import OtherOwnerError, OwnerRequiredError

router = APIRouter(prefix="/v1/memories", tags=["memories"])
models_router = APIRouter(prefix="/v1/embedding-models", tags=["embedding models"])

_UNKNOWN = problems(MemoryNotFoundError)
_CHANGE = problems(MemoryNotFoundError, OwnerBusyError)


@router.get("", responses=problems(InvalidCursorError, OtherOwnerError, OwnerRequiredError))
async def list_memories(
    session: SessionDep,
    principal: ReaderDep,
    spaces: SpacesDep,
    asked: Annotated[MemoryList, Query()],
) -> Page[MemoryRead]:
    """List one owner's memories, newest first."""
    owner = tenants.name_owner(principal, asked.user_id, asked.agent_id)
    scope = await tenants.enter(session, principal.tenant_id, owner)
    if scope is None:
        return Page[MemoryRead](items=[])
    query = service.MemoryQuery(
        agent_id=asked.agent_id if owner.kind == "user" else None,
        session_id=asked.session_id,
        kind=asked.kind,
        state=asked.state,
        before=decode_cursor(asked.cursor, bits=31),
        limit=asked.limit + 1,
    )
    held, following = trim(await service.page(session, scope, query), asked.limit, _ordinal)
    states = await service.embedding_states(session, scope, spaces, held)
    items = [MemoryRead.of(memory, states[memory.ordinal]) for memory in held]
    return Page[MemoryRead](items=items, next_cursor=following)


def _ordinal(memory: Memory) -> int:
    return memory.ordinal


@router.get("/{memory_id}", responses=_UNKNOWN)
async def read_memory(
    session: SessionDep, principal: ReaderDep, spaces: SpacesDep, memory_id: UUID
) -> MemoryRead:
    """Return one memory, archived or not."""
    scope, memory = await service.find(session, principal, memory_id)
    states = await service.embedding_states(session, scope, spaces, [memory])
    return MemoryRead.of(memory, states[memory.ordinal])


@router.patch(
    "/{memory_id}",
    responses=problems(
        MemoryNotFoundError,
        MemoryArchivedError,
        LimitExceededError,
        InvalidItemError,
        OwnerBusyError,
        EmbedderRefusedError,
    ),
)
async def edit_memory(
    writer: MemoryWriterDep, settings: SettingsDep, memory_id: UUID, body: MemoryUpdate
) -> MemoryRead:
    """Change a memory; its history keeps it as it was, the episode stays as it was said."""
    check_content(body.content or "", "content", settings.limits)
    check_metadata(body.metadata or {}, "metadata", settings.limits)
    return MemoryRead.of(*await service.edit(writer, memory_id, body, now=clock.now()))


@router.delete("/{memory_id}", status_code=status.HTTP_204_NO_CONTENT, responses=_CHANGE)
async def erase_memory(
    session: SessionDep, principal: WriterDep, derivations: DerivationsDep, memory_id: UUID
) -> None:
    """Erase a memory for ever: its episode, its history, and what was derived from it alone."""
    await service.erase(session, principal, memory_id, now=clock.now(), derivations=derivations)


@router.get("/{memory_id}/history", responses=problems(MemoryNotFoundError, InvalidCursorError))
async def list_memory_history(
    session: SessionDep,
    principal: ReaderDep,
    memory_id: UUID,
    limit: PageLimit = 50,
    cursor: PageCursor = None,
) -> Page[EventRead]:
    """List what befell a memory, oldest first."""
    after = decode_cursor(cursor) or 0
    events = await service.history(session, principal, memory_id, after=after, limit=limit + 1)
    events, following = trim(events, limit, lambda event: event.event_no)
    items = [EventRead.model_validate(event) for event in events]
    return Page[EventRead](items=items, next_cursor=following)


@router.post("/{memory_id}:archive", responses=_CHANGE)
async def archive_memory(
    session: SessionDep, principal: WriterDep, derivations: DerivationsDep, memory_id: UUID
) -> MemoryRead:
    """Hide a memory from recall, reversibly. Safe to repeat."""
    memory = await service.archive(
        session, principal, memory_id, now=clock.now(), derivations=derivations
    )
    return MemoryRead.of(memory, "none")


@router.post(
    "/{memory_id}:restore",
    responses=problems(MemoryNotFoundError, OwnerBusyError, EmbedderRefusedError),
)
async def restore_memory(writer: MemoryWriterDep, memory_id: UUID) -> MemoryRead:
    """Bring an archived memory back into recall. Safe to repeat."""
    return MemoryRead.of(*await service.restore(writer, memory_id, now=clock.now()))


@models_router.get("")
async def list_embedding_models(
    session: SessionDep, _principal: OperatorDep
) -> Page[EmbeddingModelRead]:
    """List the embedding models whose vectors are kept; recall uses the active one."""
    models = await service.models(session)
    return Page(items=[EmbeddingModelRead.model_validate(row) for row in models])


@models_router.post(
    ":reembed",
    status_code=status.HTTP_202_ACCEPTED,
    responses=problems(ModelNotConfiguredError, EmbedderUnavailableError, EmbedderRefusedError),
)
async def reembed_memories(
    database: DatabaseDep, spaces: SpacesDep, _principal: OperatorDep, body: Reembed
) -> ReembedStarted:
    """Compute all vectors anew with another model, in the background.

    Recall goes on with the active model; when no memory lacks a vector of the new one, it becomes
    the active one. The new embedder is configured as `APP_NEXT_EMBEDDINGS__…`, in the api and the
    worker.
    """
    queued = await service.start_reembedding(database, spaces, body.model, now=clock.now())
    return ReembedStarted(model=body.model, jobs=queued)
