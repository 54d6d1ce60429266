"""Jobs over HTTP, with callers as the room above would hand them in."""

from collections.abc import AsyncGenerator
from typing import Annotated
from uuid import UUID

import httpx
import pytest
from fastapi import Depends, FastAPI, Request
from sqlalchemy.ext.asyncio import AsyncSession

from app.jobs import service
from app.jobs.protocol import TaskContext, TaskRegistry
from app.jobs.router import build_router
from app.jobs.tasks import JobWorker
from app.kit import problems
from app.kit.clock import now
from app.kit.errors import Problem
from app.kit.ids import new_id
from tests.jobs.conftest import FakeCaller, Name, Owner, World

pytestmark = pytest.mark.pg


class OtherOwnerError(Problem):
    """Stands for the room above, which refuses to name another owner."""

    slug = "not-yours"
    status = 403
    title = "Bound to another owner"


async def caller(request: Request) -> FakeCaller:
    """Read from headers who calls; the real one has keys."""
    headers = request.headers
    kind, _, name = headers.get("bound", "").partition(":")
    bound = Name("agent" if kind == "agent" else "user", name) if kind else None
    return FakeCaller(UUID(headers["tenant"]), bound)


def name_owner(who: FakeCaller, user_id: str | None, agent_id: str | None) -> None:
    names = (Name("user", user_id or ""), Name("agent", agent_id or ""))
    if who.bound is not None and who.bound not in names:
        msg = "another owner"
        raise OtherOwnerError(msg)


@pytest.fixture
async def client(world: World) -> AsyncGenerator[httpx.AsyncClient]:
    async def session(
        who: Annotated[FakeCaller, Depends(caller)],
    ) -> AsyncGenerator[AsyncSession]:
        async with world.database.transaction(tenant_id=who.tenant_id) as opened:
            yield opened

    app = FastAPI()
    problems.install(app, public_url="")
    app.include_router(
        build_router(
            reader=Depends(caller),
            writer=Depends(caller),
            session=Depends(session, scope="function"),
            name_owner=name_owner,
        )
    )
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as opened:
        yield opened


def by(owner: Owner, bound: str | None = None) -> dict[str, str]:
    """Headers of a caller of the owner's tenant, bound to ``kind:name`` if given."""
    return {"tenant": str(owner.tenant_id)} | ({"bound": bound} if bound else {})


async def test_a_job_is_read_with_its_tasks_and_its_owner(
    client: httpx.AsyncClient, owner: Owner
) -> None:
    job_id = await owner.queue("test.one", "test.two")

    answer = await client.get(f"/v1/jobs/{job_id}", headers=by(owner))

    assert answer.status_code == 200
    job = answer.json()
    assert job["tasks"] == [
        {"name": "test.one", "status": "queued", "attempts": 0, "error": None},
        {"name": "test.two", "status": "queued", "attempts": 0, "error": None},
    ]
    assert (job["id"], job["kind"], job["status"]) == (str(job_id), "enrich", "queued")
    assert (job["user_id"], job["agent_id"], job["progress"]) == ("ana", None, 0)


async def test_unknown_jobs_and_those_of_others_are_the_same_404(
    client: httpx.AsyncClient, world: World, owner: Owner
) -> None:
    stranger = await world.owner("bob")
    neighbour = await world.owner("cleo", tenant_id=owner.tenant_id)
    foreign, near = await stranger.queue("test.one"), await neighbour.queue("test.one")

    for method, action in (("GET", ""), ("POST", ":retry"), ("POST", ":cancel")):
        for job_id in (new_id(), foreign, near):
            answer = await client.request(
                method, f"/v1/jobs/{job_id}{action}", headers=by(owner, "user:ana")
            )
            assert answer.status_code == 404
            assert answer.json()["code"] == "job-not-found"
            assert str(job_id) in answer.json()["detail"]
    assert (await stranger.read(foreign)).status == "queued"
    assert (await neighbour.read(near)).status == "queued"


async def test_the_list_shows_the_newest_first_and_neither_skips_nor_repeats(
    client: httpx.AsyncClient, owner: Owner
) -> None:
    jobs = [str(await owner.queue("test.one")) for _ in range(7)]

    seen: list[str] = []
    cursor: str | None = None
    for _ in range(4):
        params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/v1/jobs", params=params, headers=by(owner))).json()
        seen += [job["id"] for job in page["items"]]
        cursor = page["next_cursor"]
        await owner.queue("test.one")

    assert seen == jobs[::-1]
    assert cursor is None


async def test_the_list_shows_one_tenant_only(
    client: httpx.AsyncClient, world: World, owner: Owner
) -> None:
    await (await world.owner("bob")).queue("test.one")

    assert (await client.get("/v1/jobs", headers=by(owner))).json()["items"] == []


async def test_the_list_is_narrowed_by_owner_state_and_kind(
    client: httpx.AsyncClient, world: World, owner: Owner
) -> None:
    agent = await world.owner("planner", tenant_id=owner.tenant_id, kind="agent")
    queued = str(await owner.queue("test.one"))
    cancelled = str(await owner.queue("test.one", kind="erase"))
    await owner.cancel(UUID(cancelled))
    of_agent = str(await agent.queue("test.one"))

    async def ids(**params: str) -> list[str]:
        answer = await client.get("/v1/jobs", params=params, headers=by(owner))
        return [job["id"] for job in answer.json()["items"]]

    assert await ids() == [of_agent, cancelled, queued]
    assert await ids(user_id="ana") == [cancelled, queued]
    assert await ids(agent_id="planner") == [of_agent]
    assert await ids(user_id="planner") == []
    assert await ids(status="cancelled") == [cancelled]
    assert await ids(kind="enrich") == [of_agent, queued]
    assert await ids(user_id="ana", status="queued") == [queued]


async def test_a_bound_key_sees_the_jobs_of_its_owner_only(
    client: httpx.AsyncClient, world: World, owner: Owner
) -> None:
    other = await world.owner("bob", tenant_id=owner.tenant_id)
    mine = str(await owner.queue("test.one"))
    await other.queue("test.one")

    page = (await client.get("/v1/jobs", headers=by(owner, "user:ana"))).json()
    refused = await client.get("/v1/jobs", params={"user_id": "bob"}, headers=by(owner, "user:ana"))

    assert [job["id"] for job in page["items"]] == [mine]
    assert (refused.status_code, refused.json()["code"]) == (403, "not-yours")


async def test_an_agents_key_sees_the_jobs_about_users_that_it_asked_for(
    client: httpx.AsyncClient, world: World, owner: Owner
) -> None:
    async with world.database.transaction(tenant_id=owner.tenant_id) as session:
        asked = await service.enqueue(
            session,
            tenant_id=owner.tenant_id,
            owner_id=owner.owner_id,
            agent_id="planner",
            kind="enrich",
            tasks=["test.one"],
            now=now(),
        )
    await owner.queue("test.one")

    bound = by(owner, "agent:planner")
    page = (await client.get("/v1/jobs", headers=bound)).json()
    job = (await client.get(f"/v1/jobs/{asked}", headers=bound)).json()

    assert [one["id"] for one in page["items"]] == [str(asked)]
    assert (job["user_id"], job["agent_id"]) == ("ana", "planner")


async def test_cancel_and_retry_answer_with_the_job_as_it_is_now(
    client: httpx.AsyncClient, owner: Owner
) -> None:
    job_id = await owner.queue("test.one")

    cancelled = await client.post(f"/v1/jobs/{job_id}:cancel", headers=by(owner))
    again = await client.post(f"/v1/jobs/{job_id}:retry", headers=by(owner))

    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    assert cancelled.json()["finished_at"] is not None
    assert (again.status_code, again.json()["status"]) == (200, "queued")
    assert again.json()["finished_at"] is None
    assert again.json()["cancel_requested"] is False


async def test_what_the_state_of_a_job_does_not_allow_is_a_409(
    client: httpx.AsyncClient, owner: Owner, worker: JobWorker, registry: TaskRegistry
) -> None:
    async def nothing(_: TaskContext) -> None:
        return

    registry.task("test.one", nothing)
    waiting = await owner.queue("test.one")
    early = await client.post(f"/v1/jobs/{waiting}:retry", headers=by(owner))
    await worker.drain()
    late = await client.post(f"/v1/jobs/{waiting}:cancel", headers=by(owner))
    again = await client.post(f"/v1/jobs/{waiting}:retry", headers=by(owner))

    for answer, state in ((early, "queued"), (late, "succeeded"), (again, "succeeded")):
        assert answer.status_code == 409
        assert answer.json()["code"] == "job-state"
        assert answer.json()["job_status"] == state


@pytest.mark.parametrize("cursor", ["x", "é", "AAAA", "A" * 23, "////////////////////////"])
async def test_a_made_up_cursor_is_refused(
    client: httpx.AsyncClient, owner: Owner, cursor: str
) -> None:
    answer = await client.get("/v1/jobs", params={"cursor": cursor}, headers=by(owner))

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-cursor")


@pytest.mark.parametrize("params", [{"limit": "0"}, {"limit": "201"}, {"status": "lost"}])
async def test_a_filter_that_makes_no_sense_is_refused(
    client: httpx.AsyncClient, owner: Owner, params: dict[str, str]
) -> None:
    answer = await client.get("/v1/jobs", params=params, headers=by(owner))

    assert answer.status_code == 422
