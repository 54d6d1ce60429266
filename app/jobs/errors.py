"""What can go wrong with jobs, and what may be told of it."""

from typing import Self
from uuid import UUID

import psycopg
from sqlalchemy.exc import DBAPIError

from app.kit.errors import Problem

_LONGEST = 500


class JobNotFoundError(Problem):
    """No such job in the caller's scope (also when it exists in another's)."""

    slug = "job-not-found"
    status = 404
    title = "Job not found"

    @classmethod
    def of(cls, job_id: UUID) -> Self:
        """Name the missing id."""
        return cls(f"No job {job_id} in this scope.", job_id=str(job_id))


class JobStateError(Problem):
    """The job's status does not allow what was asked."""

    slug = "job-state"
    status = 409
    title = "The job's status does not allow this"


class TaskError(Exception):
    """A task cannot be done; its message is shown to users, so it may hold no memory's text."""


class TaskPostponedError(TaskError):
    """Something the task needs is away: try again later. Does not count as an attempt."""

    def __init__(self, reason: str, *, retry_in_s: float) -> None:
        super().__init__(reason)
        self.retry_in_s = retry_in_s


def describe(error: BaseException) -> str:
    """Return what may be stored and shown of an error: never text of a memory.

    Only our own errors speak for themselves. Others may quote what they worked on: a database
    error carries the statement's parameters, so of it only the kind and its SQLSTATE are told.
    """
    name = type(error).__name__
    if isinstance(error, Problem | TaskError):
        return f"{name}: {error}"[:_LONGEST]
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, psycopg.Error) and cause.sqlstate:
        return f"{name}: {type(cause).__name__} ({cause.sqlstate})"
    return name
