"""What holds for one tail at a time: older and newer always meet, and recall always finds them."""

import pytest

from app.kit.settings import ThoughtSettings
from app.llm.fake import Scripted, ScriptedModel
from app.thoughts.kernel import lsh
from tests.memories.helpers import Store
from tests.thoughts.helpers import enrich, listed, said, table, texts, thought_of

pytestmark = pytest.mark.pg

SIXTEEN = ThoughtSettings(buckets=16)
CHANGES = (
    ("I live in Berlin with my cat.", "We moved to Rome!"),
    ("I work for Siemens.", "I got a new job at Bosch."),
    ("My favorite color is green.", "Blue is my favourite colour."),
    ("My mom lives in Lyon.", "My mother has moved to Nice."),
    ("My phone number is 555 0134.", "My new phone number is 555 0199."),
)


async def test_whatever_the_words_the_newer_ends_the_older(store: Store) -> None:
    await store.remember(*(said(n, older) for n, (older, _) in enumerate(CHANGES)))
    await store.remember(*(said(60 + n, newer) for n, (_, newer) in enumerate(CHANGES)))

    await enrich(store, settings=SIXTEEN)

    assert await texts(store) == {f"Alice: {newer}" for _, newer in CHANGES}
    ended = [one for one in await listed(store, include="forgotten") if one["valid_to"]]
    assert {one["text"] for one in ended} == {f"Alice: {older}" for older, _ in CHANGES}


async def test_lists_of_memories_leave_tombstones_out_or_say_what_took_their_place(
    store: Store,
) -> None:
    stored = await store.remember(said(1, "I live in Berlin."), said(9, "I have moved to Rome."))
    await enrich(store, settings=SIXTEEN)

    live = await store.get("/v1/memories", user_id="alice", kind="thought")
    every = await store.get("/v1/memories", user_id="alice", kind="thought", state="all")

    newer, older = every["items"]
    assert live["items"] == [newer]
    assert (newer["replaced_by"], older["replaced_by"]) == (None, newer["id"])
    assert (await store.read(older["id"]))["replaced_by"] == newer["id"]

    await store.client.delete(f"/v1/memories/{stored[1]['id']}")
    live = await store.get("/v1/memories", user_id="alice", kind="thought")
    assert [(one["id"], one["replaced_by"]) for one in live["items"]] == [(older["id"], None)]


async def test_it_ends_what_was_organised_long_ago_in_no_other_bucket(store: Store) -> None:
    await store.remember(said(1, "I live in Berlin."), said(2, "My mum lives in Berlin."))
    await enrich(store, settings=SIXTEEN)

    await store.remember(said(9, "I have moved to Rome."))
    await enrich(store, settings=SIXTEEN)

    rows = await table(store, "head_key, tails, status, bucket")
    assert [row[:3] for row in rows] == [
        ("alice", ["Berlin"], "forgotten"),
        ("alice's mother", ["Berlin"], "active"),
        ("alice", ["Rome"], "active"),
    ]
    expected = [lsh.group_bucket(row[0], "lives in", 16) for row in rows]
    assert [row[3] for row in rows] == expected


async def test_whoever_asks_finds_it_however_few_buckets_are_looked_into(store: Store) -> None:
    await store.remember(said(1, "I live in Berlin."))
    await enrich(store, settings=SIXTEEN)

    for query in ("home", "something else altogether", "Berlin", "x"):
        found = (await thought_of(store, query, probes=1))["thoughts"]
        assert [one["tail"] for one in found] == ["Berlin"]


async def test_a_list_finds_a_relation_by_any_of_its_words(store: Store) -> None:
    await store.remember(said(1, "I live in Berlin."), said(2, "My mum lives in Lyon."))
    await enrich(store)

    assert await texts(store, relation="moved to", head="alice") == {"Alice: I live in Berlin."}
    assert await texts(store, head="Alice's mother") == {"Alice: My mum lives in Lyon."}


async def test_another_hash_keeps_them_together(store: Store) -> None:
    await store.remember(said(1, "I live in Berlin."))
    await enrich(store, settings=SIXTEEN)

    await store.remember(said(9, "I moved to Rome."))
    await enrich(store, settings=ThoughtSettings(buckets=64, seed=3))

    assert await texts(store) == {"Alice: I moved to Rome."}
    bucket = lsh.group_bucket("alice", "lives in", 64)
    assert set(await table(store, "bucket")) == {(bucket,)}


async def test_a_models_triples_meet_too_and_its_first_person_is_who_speaks(store: Store) -> None:
    await store.remember(said(1, "Berlin is home."), said(9, "Off to Rome for good!"))

    def thoughts(*found: tuple[int, str, str, str]) -> Scripted:
        return {
            "thoughts": [
                {"turn": turn, "text": f"Alice {relation} {tail}.", "head": head,
                 "relation": relation, "tail": tail}
                for turn, head, relation, tail in found
            ]
        }  # fmt: skip

    found = thoughts((1, "I", "resides in", "Berlin"), (2, "User", "moved to", "Rome"))
    model = ScriptedModel([found, {"forget": [], "merge": []}])
    await enrich(store, llm=model, settings=SIXTEEN)

    rows = await table(store, "head, bucket")
    assert rows == [("Alice", lsh.group_bucket("alice", "lives in", 16))] * 2
    assert "Berlin" in model.asked[1].user
    assert "Rome" in model.asked[1].user
