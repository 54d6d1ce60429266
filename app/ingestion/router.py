"""Storing memories over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Header, Response, status

from app.embeddings.errors import EmbedderRefusedError
from app.ingestion import service
from app.ingestion.errors import ClientIdConflictError, IdempotencyConflictError
from app.ingestion.schemas import MemoriesCreate, MemoriesStored
from app.kit import clock
from app.kit.errors import InvalidItemError, LimitExceededError
from app.kit.openapi import problems
from app.memories.dependencies import SpacesDep
from app.memories.errors import OwnerBusyError
from app.tenants.dependencies import DatabaseDep, SettingsDep, WriterDep
from app.tenants.errors import OtherOwnerError, OwnerRequiredError, QuotaExceededError

router = APIRouter(prefix="/v1/memories", tags=["memories"])

IdempotencyKeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="Your id of this request: a repeat gets the first answer and stores nothing.",
    ),
]


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    responses=problems(
        ClientIdConflictError,
        EmbedderRefusedError,
        IdempotencyConflictError,
        InvalidItemError,
        LimitExceededError,
        OtherOwnerError,
        OwnerBusyError,
        OwnerRequiredError,
        QuotaExceededError,
    ),
)
async def create_memories(
    database: DatabaseDep,
    spaces: SpacesDep,
    settings: SettingsDep,
    principal: WriterDep,
    response: Response,
    body: MemoriesCreate,
    idempotency_key: IdempotencyKeyHeader = None,
) -> MemoriesStored:
    """Remember what was said: verbatim at once, searchable in the next request.

    Vectors are made before the answer while the embedder is up (`embedding: ready`), else by the
    job. All items are stored, or none.
    """
    service.check_limits(body, settings.limits)
    write = service.read(principal, body, key=idempotency_key, now=clock.now())
    budget_s = settings.embeddings.write_budget_s
    stored, is_replay = await service.remember(database, spaces, write, budget_s=budget_s)
    if is_replay:
        response.headers["Idempotent-Replayed"] = "true"
    return stored
