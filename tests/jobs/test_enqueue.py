"""Queueing: a job and its tasks are there together, or not at all."""

import asyncio
from uuid import UUID

import pytest

from app.jobs import service
from app.jobs.protocol import TaskContext, TaskRegistry
from app.jobs.schemas import JobQuery
from app.jobs.tasks import JobWorker
from app.kit.clock import now
from tests.jobs.conftest import Owner, World, running, until

pytestmark = pytest.mark.pg


async def _count(world: World, table: str) -> object:
    return (await world.all(f"SELECT count(*) FROM {table}"))[0][0]


async def test_a_job_of_a_rolled_back_transaction_never_was(world: World, owner: Owner) -> None:
    async def enqueue_and_fail() -> None:
        async with world.database.transaction(tenant_id=owner.tenant_id) as session:
            await owner.enqueue(session, "test.one", "test.two")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await enqueue_and_fail()

    assert await _count(world, "jobs") == 0
    assert await _count(world, "procrastinate_jobs") == 0


async def test_a_committed_job_has_each_task_in_the_queue_once(world: World, owner: Owner) -> None:
    job_id = await owner.queue("test.one", "test.two")

    queued = await world.all("SELECT id, args, lock FROM procrastinate_jobs ORDER BY id")
    tasks = (await world.all("SELECT tasks FROM jobs"))[0].tasks
    assert [(row.args["name"], row.args["position"]) for row in queued] == [
        ("test.one", 0),
        ("test.two", 1),
    ]
    assert {UUID(row.args["job_id"]) for row in queued} == {job_id}
    assert {row.lock for row in queued} == {f"owner:{owner.owner_id}"}
    assert [task["queue_id"] for task in tasks] == [row.id for row in queued]


async def test_the_queue_holds_ids_and_names_of_tasks_only(world: World, owner: Owner) -> None:
    job_id = await owner.queue("test.one")

    row = (await world.all("SELECT * FROM procrastinate_jobs"))[0]._mapping
    assert row["args"] == {
        "tenant_id": str(owner.tenant_id),
        "owner_id": owner.owner_id,
        "job_id": str(job_id),
        "name": "test.one",
        "position": 0,
    }
    texts = {value for name, value in row.items() if isinstance(value, str) and name != "args"}
    assert texts == {"default", "remembrancer.run", f"owner:{owner.owner_id}", "todo"}


async def test_a_job_without_an_owner_is_locked_by_itself(world: World, owner: Owner) -> None:
    async with world.database.transaction(tenant_id=owner.tenant_id) as session:
        job_id = await service.enqueue(
            session,
            tenant_id=owner.tenant_id,
            owner_id=None,
            kind="reindex",
            tasks=["test.one"],
            now=now(),
        )

    assert (await world.all("SELECT lock FROM procrastinate_jobs"))[0].lock == f"job:{job_id}"
    assert (await owner.read(job_id)).user_id is None


async def test_a_job_without_tasks_is_refused(owner: Owner) -> None:
    with pytest.raises(ValueError, match="at least one"):
        await owner.queue()


async def _join(owner: Owner, *, agent_id: str | None = None, tasks: str = "test.one") -> UUID:
    async with owner.database.transaction(tenant_id=owner.tenant_id) as session:
        return await service.enqueue(
            session,
            tenant_id=owner.tenant_id,
            owner_id=owner.owner_id,
            agent_id=agent_id,
            kind="enrich",
            tasks=[tasks],
            joins=True,
            now=now(),
        )


async def test_a_job_joins_a_waiting_one_of_the_same_owner_agent_and_tasks(
    world: World, owner: Owner
) -> None:
    first = await _join(owner)
    other = await world.owner("bob", tenant_id=owner.tenant_id)

    assert await _join(owner) == first
    assert await _join(owner, agent_id="planner") != first
    assert await _join(owner, tasks="test.two") != first
    assert await _join(other) != first
    assert await _count(world, "jobs") == 4
    assert await _count(world, "procrastinate_jobs") == 4


async def test_nobody_joins_a_job_that_began_or_was_cancelled(
    owner: Owner, worker: JobWorker, registry: TaskRegistry
) -> None:
    release = asyncio.Event()

    async def wait(_: TaskContext) -> None:
        await release.wait()

    registry.task("test.one", wait)
    first = await _join(owner)
    async with running(worker):
        await until(lambda: _is(owner, first, "running"))
        second = await _join(owner)
        await owner.cancel(second)
        third = await _join(owner)
        release.set()
        await owner.finished(third)

    assert len({first, second, third}) == 3
    assert (await owner.read(second)).status == "cancelled"


async def _is(owner: Owner, job_id: UUID, status: str) -> bool:
    return (await owner.read(job_id)).status == status


async def test_a_joined_job_begins_only_when_all_who_joined_have_committed(
    world: World, owner: Owner, worker: JobWorker, registry: TaskRegistry
) -> None:
    seen: list[int] = []

    async def count_owners(context: TaskContext) -> None:
        async with context.database.transaction(tenant_id=context.tenant_id) as session:
            page = await service.page(session, owner.caller, JobQuery())
            seen.append(len(page.items))

    registry.task("test.one", count_owners)
    first = await _join(owner)
    async with world.database.transaction(tenant_id=owner.tenant_id) as session:
        joined = await service.enqueue(
            session,
            tenant_id=owner.tenant_id,
            owner_id=owner.owner_id,
            kind="enrich",
            tasks=["test.one"],
            joins=True,
            now=now(),
        )
        await owner.enqueue(session, "test.one", kind="other")
        work = asyncio.create_task(worker.drain())
        await asyncio.sleep(0.3)
        assert seen == []
    await owner.finished(first)
    await work

    assert joined == first
    assert seen[0] == 2
