"""A key's day: what counts, and what happens at its end."""

import asyncio

import pytest

from tests.api import code_of, new_tenant, with_key
from tests.memories.helpers import Store, at

pytestmark = pytest.mark.pg


async def _with_quota(store: Store, daily_items: int) -> Store:
    """Call with a key of the same tenant that may store so many items a day."""
    answer = await store.client.post(
        "/v1/keys", json={"name": "small", "scopes": ["write"], "daily_items": daily_items}
    )
    assert answer.status_code == 201, answer.text
    store.client.headers.update(with_key(answer.json()["key"]))
    return store


async def test_a_write_beyond_the_quota_is_refused_whole(store: Store) -> None:
    await _with_quota(store, 3)
    await store.remember("One.", "Two.")

    answer = await store.write("Three.", "Four.")

    assert answer.status_code == 429
    assert code_of(answer) == "quota-exceeded"
    assert 0 < int(answer.headers["retry-after"]) <= 86_400
    assert await store.count("memories") == 2
    await store.remember("Three.")
    assert (await store.write("Four.")).status_code == 429


async def test_repeats_and_duplicates_count_nothing(store: Store) -> None:
    await _with_quota(store, 2)
    said = [{"content": "One.", "client_id": "c"}, {"content": "Two.", "occurred_at": at(0)}]
    await store.remember(*said, key="k")

    assert (await store.write(*said, key="k")).status_code == 201
    assert (await store.write(*said)).status_code == 201
    assert (await store.write(*said, "Three.")).status_code == 429


async def test_requests_at_once_cannot_pass_the_quota_together(store: Store) -> None:
    await _with_quota(store, 5)

    answers = await asyncio.gather(
        *(store.write(f"Line {number}.", user_id=f"user{number % 3}") for number in range(9))
    )

    statuses = [answer.status_code for answer in answers]
    assert sorted(statuses) == [201] * 5 + [429] * 4


async def test_one_tenants_quota_is_not_anothers(store: Store) -> None:
    _, other_key = await new_tenant(store.client)
    await _with_quota(store, 1)
    await store.remember("One.")
    assert (await store.write("Two.")).status_code == 429

    store.client.headers.update(with_key(other_key))

    assert (await store.write("Two.")).status_code == 201
