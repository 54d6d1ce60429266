"""Order in the buckets: forget, merge, join; tombstones that resolve; no other bucket touched."""

import hashlib
from typing import Any

import numpy as np
import pytest

from app.kit.settings import ThoughtSettings
from app.thoughts.kernel import lsh
from app.thoughts.service import organising
from tests.memories.helpers import Json, Store
from tests.thoughts.helpers import (
    TWO_BUCKETS,
    enrich,
    listed,
    run,
    said,
    table,
    texts,
    thought_of,
)

pytestmark = pytest.mark.pg


async def in_one_bucket(store: Store, *items: Json) -> list[Json]:
    """Store items, and put their thoughts into one bucket before they are organised."""
    stored = await store.remember(*items)
    await run(store, "thoughts.think")
    scope = await store.scope()
    await store.rows(
        "UPDATE thoughts SET bucket = 0 WHERE owner_id = :owner_id", owner_id=scope.owner_id
    )
    await run(store, "thoughts.organise")
    return stored


async def test_a_newer_home_closes_the_older_and_keeps_it(store: Store) -> None:
    await in_one_bucket(store, said(1, "I live in Berlin."), said(9, "I moved to Rome."))

    assert await texts(store) == {"Alice: I moved to Rome."}
    new, old = await listed(store, include="forgotten")
    assert old["status"] == "forgotten"
    assert old["valid_to"] == new["valid_from"]
    assert new["valid_to"] is None


async def test_what_is_liked_is_joined_with_all_its_sources(store: Store) -> None:
    stored = await in_one_bucket(store, said(1, "I like tea."), said(2, "I like jazz."))

    (one,) = await listed(store)
    assert one["text"] == "Alice likes tea and jazz."
    assert one["tail"] == "tea; jazz"
    assert one["source_ids"] == [item["id"] for item in stored]
    assert one["generated_by"] == organising.BY_RULE
    rows = await table(store, "status, replaced_by IS NOT NULL")
    assert rows == [("merged", True), ("merged", True), ("active", False)]


async def test_of_equal_thoughts_the_newest_stays_on_all_their_sources(store: Store) -> None:
    stored = await in_one_bucket(
        store, said(1, "We went to the beach today."), said(2, "We went to the beach, today!")
    )

    (one,) = await listed(store)
    assert one["text"] == "Alice: We went to the beach, today!"
    assert sorted(one["source_ids"]) == sorted(item["id"] for item in stored)


async def test_tombstones_resolve_to_an_active_thought(store: Store) -> None:
    await in_one_bucket(store, said(1, "I like tea."), said(2, "I like jazz."))
    await in_one_bucket(store, said(3, "I like rain."), said(4, "I like tea!"))

    rows = {row[0]: row for row in await table(store, "memory_ordinal, status, replaced_by")}
    ends = set()
    for ordinal in rows:
        at = ordinal
        while rows[at][2] is not None:
            at = rows[at][2]
        ends.add(at)

    assert {rows[end][1] for end in ends} == {"active"}
    assert len(ends) == 1
    (one,) = await listed(store)
    assert one["tail"] == "tea; jazz; rain"
    assert len(one["source_ids"]) == 4


async def test_erasing_a_source_takes_the_joined_text_back(store: Store) -> None:
    tea, _ = await in_one_bucket(store, said(1, "I like tea."), said(2, "I like jazz."))

    await store.erase(tea["id"])
    at_once = await texts(store)
    await run(store, "thoughts.organise")

    assert at_once == {"Alice: I like jazz."}
    assert await texts(store) == at_once
    left = await store.rows(
        "SELECT content FROM memories WHERE content LIKE '%tea%' AND tenant_id = :tenant_id",
        tenant_id=store.tenant_id,
    )
    assert left == []


async def test_an_end_that_loses_its_source_never_was(store: Store) -> None:
    _, rome = await in_one_bucket(store, said(1, "I live in Berlin."), said(9, "I moved to Rome."))

    await store.erase(rome["id"])

    (one,) = await listed(store)
    assert (one["text"], one["status"], one["valid_to"]) == (
        "Alice: I live in Berlin.", "active", None,
    )  # fmt: skip


async def test_archiving_a_source_takes_the_joined_text_back(store: Store) -> None:
    tea, _ = await in_one_bucket(store, said(1, "I like tea."), said(2, "I like jazz."))

    await store.archive(tea["id"])
    hidden = await listed(store)
    await enrich(store)

    assert hidden == []
    assert await texts(store) == {"Alice: I like jazz."}


async def test_a_joined_thought_erased_by_its_id_is_not_joined_again(store: Store) -> None:
    await in_one_bucket(store, said(1, "I like tea."), said(2, "I like jazz."))
    (one,) = await listed(store)

    await store.erase(one["id"])
    await enrich(store)

    assert await listed(store) == []


async def test_a_part_erased_by_its_id_is_no_longer_said(store: Store) -> None:
    await in_one_bucket(store, said(1, "I like tea."), said(2, "I like jazz."))
    ((tea_id,),) = await store.rows(
        "SELECT id FROM memories WHERE content LIKE '%tea.' AND kind = 'thought' "
        "AND tenant_id = :tenant_id", tenant_id=store.tenant_id,
    )  # fmt: skip

    await store.erase(str(tea_id))
    await enrich(store)

    assert await texts(store) == {"Alice: I like jazz."}


async def test_thoughts_of_two_agents_are_never_joined(store: Store) -> None:
    await store.remember(said(1, "I like tea."), agent_id="coach")
    await store.remember(said(2, "I like jazz."), agent_id="cook")
    await run(store, "thoughts.think")
    scope = await store.scope()
    await store.rows(
        "UPDATE thoughts SET bucket = 0 WHERE owner_id = :owner_id", owner_id=scope.owner_id
    )

    await run(store, "thoughts.organise")

    assert await texts(store) == {"Alice: I like tea.", "Alice: I like jazz."}
    assert await texts(store, agent_id="cook") == {"Alice: I like jazz."}


async def _digests(store: Store) -> dict[int, str]:
    """Return a digest of everything in each bucket: rows, texts and vectors."""
    scope = await store.scope()
    rows = await store.rows(
        "SELECT t.bucket, t.*, m.*, v.vector::text FROM thoughts t "
        "JOIN memories m ON m.owner_id = t.owner_id AND m.ordinal = t.memory_ordinal "
        "JOIN derived_vectors_1 v ON v.owner_id = t.owner_id AND v.ordinal = t.memory_ordinal "
        "WHERE t.owner_id = :owner_id ORDER BY t.memory_ordinal",
        owner_id=scope.owner_id,
    )
    found: dict[int, Any] = {}
    for row in rows:
        found.setdefault(row[0], hashlib.sha256()).update(repr(row).encode())
    return {bucket: digest.hexdigest() for bucket, digest in found.items()}


async def test_an_organiser_run_touches_no_other_bucket(store: Store) -> None:
    sixteen = ThoughtSettings(buckets=16)
    things = ["tea", "jazz", "rain", "snow", "bread", "chess", "cats", "dogs", "films", "books"]
    items = [said(n, f"I like {thing}.") for n, thing in enumerate(things * 4)]
    items += [said(60 + n, f"I moved to City{n}.") for n in range(12)]
    await store.remember(*items)
    await enrich(store, settings=sixteen)
    before = await _digests(store)

    await store.remember(said(99, "I like tea."), said(100, "I like chess and go."))
    await run(store, "thoughts.think", settings=sixteen)
    touched = {row[0] for row in await table(store, "bucket, is_organised") if not row[1]}
    await run(store, "thoughts.organise", settings=sixteen)
    after = await _digests(store)

    assert len(before) > 4
    assert 1 <= len(touched) <= 2
    assert {b for b in after if after[b] != before.get(b)} == touched
    assert {b: d for b, d in after.items() if b not in touched} == {
        b: d for b, d in before.items() if b not in touched
    }


async def test_every_thought_lies_in_the_bucket_of_its_vector(store: Store) -> None:
    sixteen = ThoughtSettings(buckets=16)
    await store.remember(*(said(n, f"I like thing number {n % 7}.") for n in range(40)))
    await enrich(store, settings=sixteen)
    scope = await store.scope()

    rows = await store.rows(
        "SELECT t.bucket, v.vector::text FROM thoughts t JOIN derived_vectors_1 v "
        "ON v.owner_id = t.owner_id AND v.ordinal = t.memory_ordinal AND v.space = 'thought' "
        "WHERE t.owner_id = :owner_id", owner_id=scope.owner_id,
    )  # fmt: skip
    vectors = np.array([[float(x) for x in row[1].strip("[]").split(",")] for row in rows])

    directed = lsh.directions(0, vectors.shape[1], 16)
    assert list(lsh.bucket_of(vectors.astype(np.float32), directed)) == [row[0] for row in rows]
    assert len({row[0] for row in rows}) > 1


async def test_another_number_of_buckets_hashes_all_anew(store: Store) -> None:
    await store.remember(said(1, "I like tea."), said(2, "I live in Rome."))
    await enrich(store, settings=TWO_BUCKETS)
    requests = store.embedder.requests

    await enrich(store, settings=ThoughtSettings(buckets=32, seed=5))

    versions = await table(store, "hash_version")
    scope = await store.scope()
    hashes = await store.rows(
        "SELECT version, buckets, seed FROM thought_hashes WHERE owner_id = :owner_id",
        owner_id=scope.owner_id,
    )
    assert set(versions) == {(2,)}
    assert hashes == [(2, 32, 5)]
    assert store.embedder.requests == requests
    found = (await thought_of(store, "Alice: I live in Rome."))["thoughts"]
    assert found[0]["tail"] == "Rome"


async def test_tasks_end_when_the_user_is_erased(store: Store) -> None:
    await store.remember(said(1, "I like tea."))
    await run(store, "thoughts.think")
    scope = await store.scope()
    await store.client.delete("/v1/users/alice")

    await run(store, "thoughts.think", scope=scope)
    await run(store, "thoughts.organise", scope=scope)
