from datetime import timedelta

import pytest

from app.ingestion import tasks
from app.jobs.protocol import TaskRegistry
from app.kit.clock import now
from tests.memories.helpers import Store

pytestmark = pytest.mark.pg


async def test_an_idempotency_key_is_forgotten_after_its_days(store: Store) -> None:
    registry = TaskRegistry()
    tasks.register(registry, store.settings.housekeeping)
    forget = registry.chores["ingestion.forget_requests"]
    await store.write("Words.", key="k1")
    days = store.settings.housekeeping.idempotency_days

    await forget(store.database, store.tenant_id, now() + timedelta(days=days - 1))
    assert "idempotent-replayed" in (await store.write("Words.", key="k1")).headers

    await forget(store.database, store.tenant_id, now() + timedelta(days=days + 1))
    assert "idempotent-replayed" not in (await store.write("Words.", key="k1")).headers
    assert await store.count("memories") == 2
