"""Small things about jobs that need no worker."""

import pytest

from app.jobs import service
from app.jobs.errors import JobNotFoundError
from tests.jobs.conftest import Owner, World

pytestmark = pytest.mark.pg


async def test_the_depth_of_the_queue_counts_what_waits_and_what_runs(
    world: World, owner: Owner
) -> None:
    await owner.queue("test.one", "test.two")
    await world.do(
        "UPDATE procrastinate_jobs SET status = 'doing' WHERE id IN "
        "(SELECT min(id) FROM procrastinate_jobs)"
    )

    async with world.database.transaction() as session:
        assert await service.queue_depth(session) == {"todo": 1, "doing": 1}
        assert await service.backlog(session) == {"test.two": 1}


async def test_a_transaction_of_another_tenant_sees_no_job(world: World, owner: Owner) -> None:
    stranger = await world.owner("bob")
    job_id = await owner.queue("test.one")

    async with world.database.transaction(tenant_id=stranger.tenant_id) as session:
        with pytest.raises(JobNotFoundError):
            await service.find(session, owner.caller, job_id)
