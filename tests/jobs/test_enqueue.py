"""Queueing: a job and its tasks are there together, or not at all."""

import json
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from app.jobs import service
from app.kit.clock import now
from app.kit.database import Database
from tests.jobs.conftest import Owner

pytestmark = pytest.mark.pg


async def test_a_job_of_a_rolled_back_transaction_never_was(
    database: Database, owner: Owner, owner_engine: AsyncEngine
) -> None:
    with pytest.raises(ZeroDivisionError):
        await enqueue_and_fail(database, owner)

    assert await count(owner_engine, "jobs") == 0
    assert await count(owner_engine, "procrastinate_jobs") == 0


async def enqueue_and_fail(database: Database, owner: Owner) -> None:
    async with database.transaction(tenant_id=owner.tenant_id) as session:
        await owner.enqueue(session, ["test.one", "test.two"])
        raise ZeroDivisionError


async def test_a_committed_job_has_each_task_in_the_queue_once(
    database: Database, owner: Owner, owner_engine: AsyncEngine
) -> None:
    async with database.transaction(tenant_id=owner.tenant_id) as session:
        job_id = await owner.enqueue(session, ["test.one", "test.two"])

    async with owner_engine.connect() as connection:
        queued = (
            await connection.execute(
                sa.text("SELECT id, args, lock, priority FROM procrastinate_jobs ORDER BY id")
            )
        ).all()
        tasks = await connection.scalar(sa.text("SELECT tasks FROM jobs"))
    assert [row.args["name"] for row in queued] == ["test.one", "test.two"]
    assert [row.args["position"] for row in queued] == [0, 1]
    assert {UUID(row.args["job_id"]) for row in queued} == {job_id}
    assert {row.lock for row in queued} == {f"owner:{owner.owner_id}"}
    assert [task["queue_id"] for task in tasks] == [row.id for row in queued]


async def test_the_queue_holds_ids_and_names_only(
    database: Database, owner: Owner, owner_engine: AsyncEngine
) -> None:
    async with database.transaction(tenant_id=owner.tenant_id) as session:
        await owner.enqueue(session, ["test.one"])

    async with owner_engine.connect() as connection:
        args = await connection.scalar(sa.text("SELECT args::text FROM procrastinate_jobs"))
    assert set(json.loads(args)) == {"tenant_id", "owner_id", "job_id", "name", "position"}


async def test_a_job_without_an_owner_is_locked_by_itself(
    database: Database, owner: Owner, owner_engine: AsyncEngine
) -> None:
    async with database.transaction(tenant_id=owner.tenant_id) as session:
        job_id = await service.enqueue(
            session,
            tenant_id=owner.tenant_id,
            owner_id=None,
            kind="reindex",
            tasks=["test.one"],
            now=now(),
        )

    async with owner_engine.connect() as connection:
        lock = await connection.scalar(sa.text("SELECT lock FROM procrastinate_jobs"))
    assert lock == f"job:{job_id}"


async def test_a_job_without_tasks_is_refused(database: Database, owner: Owner) -> None:
    async with database.transaction(tenant_id=owner.tenant_id) as session:
        with pytest.raises(ValueError, match="at least one"):
            await owner.enqueue(session, [])


async def count(engine: AsyncEngine, table: str) -> int:
    async with engine.connect() as connection:
        return await connection.scalar(sa.text(f"SELECT count(*) FROM {table}")) or 0
