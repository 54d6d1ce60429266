"""What tests of forgetting do over and over."""

from datetime import datetime, timedelta

from app.forgetting import tasks
from app.forgetting.service import Forgetter
from app.jobs.protocol import TaskRegistry
from app.kit.clock import now
from app.memories.service import NO_DERIVATIONS
from tests.memories.helpers import Json, Sent, Store


async def settle(store: Store) -> None:
    """Let what was recalled be strengthened now."""
    await store.app.state.reinforcer.flush()


async def follow(store: Store, user_id: str = "alice", **policy: Sent) -> None:
    """Give a user a forgetting policy."""
    answer = await store.send("PUT", f"/v1/users/{user_id}/settings", {"forgetting": policy})
    assert answer.status_code == 200, answer.text


async def age(store: Store, days: float, user_id: str = "alice") -> None:
    """Let all of a user's memories, and their history, be so much older."""
    scope = await store.scope(user_id)
    values = {"owner_id": scope.owner_id, "by": timedelta(days=days)}
    await store.rows(
        """
        UPDATE memories SET created_at = created_at - :by, recalled_at = recalled_at - :by,
            occurred_at = occurred_at - :by
        WHERE owner_id = :owner_id
        """,
        **values,
    )
    await store.rows("UPDATE memory_events SET at = at - :by WHERE owner_id = :owner_id", **values)


async def retention(store: Store, memory_id: str, at: datetime | None = None) -> Json:
    params = {"at": at.isoformat()} if at else {}
    return await store.get(f"/v1/memories/{memory_id}/retention", **params)


async def preview(store: Store, at: datetime, user_id: str = "alice", **more: Sent) -> Json:
    body = {"user_id": user_id, "at": at.isoformat(), **more}
    answer = await store.send("POST", "/v1/forgetting:preview", body)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


async def forget(store: Store, at: datetime | None = None, user_id: str = "alice") -> int:
    """Run forgetting at a moment; return how many memories were archived."""
    scope = await store.scope(user_id)
    return await Forgetter(store.database, scope, NO_DERIVATIONS, at or now()).run()


def registry() -> TaskRegistry:
    made = TaskRegistry()
    tasks.register(made, NO_DERIVATIONS)
    return made


async def run_task(store: Store, user_id: str = "alice") -> None:
    """Run the room's task for a user, as a worker would."""
    context = await store.task_context(user_id)
    await registry().tasks["forgetting.run"](context)


async def archived(store: Store, user_id: str = "alice") -> list[str]:
    """Return the contents of a user's archived memories, oldest first."""
    listed = await store.get("/v1/memories", user_id=user_id, state="archived", limit=200)
    return [one["content"] for one in reversed(listed["items"])]


async def events(store: Store, memory_id: str) -> list[Json]:
    listed = await store.get(f"/v1/memories/{memory_id}/history")
    items: list[Json] = listed["items"]
    return items
