"""Jobs over HTTP. Who calls is a matter of a room above, so the application hands that in."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.params import Depends
from sqlalchemy.ext.asyncio import AsyncSession

from app.jobs import service
from app.jobs.errors import JobNotFoundError, JobStateError
from app.jobs.schemas import Caller, JobQuery, JobRead
from app.kit import clock
from app.kit.errors import InvalidCursorError, Problem
from app.kit.openapi import problems
from app.kit.pagination import Page

_UNKNOWN = problems(JobNotFoundError)
_CHANGE = problems(JobNotFoundError, JobStateError)


def build_router(
    *,
    reader: Depends,
    writer: Depends,
    session: Depends,
    name_owner: Callable[[Any, str | None, str | None], object],
    refusals: Sequence[type[Problem]] = (),
) -> APIRouter:
    """Return the routes of jobs.

    ``reader`` and ``writer`` yield a ``Caller`` whose key may read, or write; ``session`` a
    transaction that sees the caller's tenant and commits before the answer. ``name_owner`` is
    called with the caller and the user's and agent's id of a filter, and raises one of the
    ``refusals`` if the caller may not name them.
    """
    router = APIRouter(prefix="/v1/jobs", tags=["jobs"])
    _add_reading(router, reader, session, name_owner, refusals)
    _add_changing(router, writer, session)
    return router


def _add_reading(
    router: APIRouter,
    reader: Depends,
    session: Depends,
    name_owner: Callable[[Any, str | None, str | None], object],
    refusals: Sequence[type[Problem]],
) -> None:
    @router.get("", responses=problems(InvalidCursorError, *refusals))
    async def list_jobs(
        session: Annotated[AsyncSession, session],
        caller: Annotated[Caller, reader],
        wanted: Annotated[JobQuery, Query()],
    ) -> Page[JobRead]:
        """List jobs, newest first."""
        if wanted.user_id is not None or wanted.agent_id is not None:
            name_owner(caller, wanted.user_id, wanted.agent_id)
        return await service.page(session, caller, wanted)

    @router.get("/{job_id}", responses=_UNKNOWN)
    async def read_job(
        session: Annotated[AsyncSession, session],
        caller: Annotated[Caller, reader],
        job_id: UUID,
    ) -> JobRead:
        """Return one job."""
        return await service.find(session, caller, job_id)


def _add_changing(router: APIRouter, writer: Depends, session: Depends) -> None:
    @router.post("/{job_id}:retry", responses=_CHANGE)
    async def retry_job(
        session: Annotated[AsyncSession, session],
        caller: Annotated[Caller, writer],
        job_id: UUID,
    ) -> JobRead:
        """Queue the unfinished tasks of a failed or cancelled job again."""
        return await service.retry(session, caller, job_id, now=clock.now())

    @router.post("/{job_id}:cancel", responses=_CHANGE)
    async def cancel_job(
        session: Annotated[AsyncSession, session],
        caller: Annotated[Caller, writer],
        job_id: UUID,
    ) -> JobRead:
        """Cancel a waiting job at once; tell a running one to stop (`cancel_requested`)."""
        return await service.cancel(session, caller, job_id, now=clock.now())
