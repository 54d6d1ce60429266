"""Feedback over HTTP."""

from fastapi import APIRouter

from app.feedback import service
from app.feedback.dependencies import RecallLogDep
from app.feedback.errors import RecallNotFoundError
from app.feedback.schemas import FeedbackCreate, FeedbackRead
from app.kit.openapi import problems
from app.memories.errors import MemoryNotFoundError
from app.tenants.dependencies import DatabaseDep, WriterDep

router = APIRouter(prefix="/v1", tags=["recall"])


@router.post("/feedback", responses=problems(RecallNotFoundError, MemoryNotFoundError))
async def give_feedback(
    database: DatabaseDep, log: RecallLogDep, principal: WriterDep, body: FeedbackCreate
) -> FeedbackRead:
    """Say how useful a hit was.

    Later recalls score this memory, and memories much like it, by what votes on similar questions
    found wrong: within bounds, and for this user or agent alone. Said again it counts once; said
    otherwise, the last word counts. A recall can be voted on for a day.
    """
    return await service.vote(database, log, principal, body)
