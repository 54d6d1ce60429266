"""Which memories are linked, without a language model, and who sees the links."""

import httpx
import pytest
from sqlalchemy.exc import IntegrityError

from tests.api import code_of, with_key
from tests.linking.helpers import CATS, TAX, evolutions, links, note, organise, remembered
from tests.memories.helpers import Store

pytestmark = pytest.mark.pg


async def test_memories_of_the_same_matter_are_linked_and_others_are_not(store: Store) -> None:
    ids = await remembered(store, *CATS, TAX)

    assert await links(store, ids[0]) == {frozenset(ids[:2]), frozenset((ids[0], ids[2]))}
    assert await links(store, ids[3]) == set()


async def test_a_link_says_what_it_is(store: Store) -> None:
    ids = await remembered(store, *CATS[:2])

    graph = await store.get(f"/v1/memories/{ids[0]}/links")

    link = graph["links"][0]
    assert (link["source"], link["target"]) == (ids[1], ids[0])
    assert link["kind"] == "similar"
    assert "miso" in link["reason"]
    assert 0.5 <= link["weight"] <= 1
    assert link["generated_by"] == "deterministic:mutual-nearest"
    assert {node["id"] for node in graph["nodes"]} == set(ids)
    assert graph["nodes"][0]["content"] == CATS[0]


async def test_later_memories_are_linked_to_earlier_ones_as_well(store: Store) -> None:
    first = await remembered(store, *CATS[:2])
    later = await remembered(store, CATS[2])

    assert await links(store, later[0]) == {
        frozenset((later[0], first[0])),
        frozenset((later[0], first[1])),
    }


async def test_a_note_has_few_nearest_and_links_are_mutual(store: Store) -> None:
    said = [f"grey cat Miso number{i} sleeps in the kitchen room" for i in range(12)]
    await store.remember(*said)

    await organise(store, neighbours=2)

    rows = await store.rows(
        "SELECT cardinality(neighbours) FROM notes WHERE owner_id = :o",
        o=(await store.scope()).owner_id,
    )
    assert all(count <= 2 for (count,) in rows)
    assert 0 < await store.count("note_links") <= 12 * 2


async def test_depth_2_follows_the_links_of_what_is_linked(store: Store) -> None:
    chain = (
        "alpha bravo charlie delta echo foxtrot",
        "delta echo foxtrot golf hotel india",
        "golf hotel india juliet kilo lima",
    )
    ids = [one["id"] for one in await store.remember(*chain)]
    await organise(store, least_cosine=0.25)

    assert await links(store, ids[0]) == {frozenset(ids[:2])}
    assert await links(store, ids[0], depth=2) == {frozenset(ids[:2]), frozenset(ids[1:])}


async def test_links_of_an_archived_memory_are_hidden_until_it_is_restored(store: Store) -> None:
    ids = await remembered(store, *CATS[:2])

    await store.archive(ids[1])
    hidden = await links(store, ids[0])
    await organise(store)
    still_hidden = await links(store, ids[0])
    await store.restore(ids[1])
    await organise(store)

    assert hidden == still_hidden == set()
    assert await links(store, ids[0]) == {frozenset(ids)}


async def test_links_of_an_expired_memory_are_hidden_to_the_second(store: Store) -> None:
    ids = await remembered(store, *CATS[:2])
    scope = await store.scope()

    await store.rows(
        "UPDATE memories SET expires_at = now() - interval '1 second' "
        "WHERE owner_id = :o AND id = CAST(:id AS uuid)", o=scope.owner_id, id=ids[1],
    )  # fmt: skip

    assert await links(store, ids[0]) == set()


async def test_an_erased_memory_leaves_no_note_no_link_and_no_tags(store: Store) -> None:
    ids = await remembered(store, "apples pears plums", "apples pears plums pets dogs cats animals")
    assert len(await evolutions(store, ids[1])) == 1

    await store.erase(ids[0])

    assert await store.count("notes") == 1
    assert await store.count("note_links") == 0
    assert await evolutions(store, ids[1]) == []


async def test_neither_loops_nor_cycles_can_be_stored(store: Store) -> None:
    ids = await remembered(store, *CATS)
    scope = await store.scope()
    assert len(ids) == 3

    for source, target in ((2, 2), (1, 2)):
        with pytest.raises(IntegrityError, match="later_to_earlier"):
            await store.rows(
                "INSERT INTO note_links (owner_id, source_ordinal, target_ordinal, kind, reason, "
                "weight, generated_by, created_at) "
                "VALUES (:o, :source, :target, 'similar', '', 1, 'test', now())",
                o=scope.owner_id, source=source, target=target,
            )  # fmt: skip


async def test_memories_of_two_agents_are_never_linked(store: Store) -> None:
    ours = await remembered(store, CATS[0], agent_id="coach")
    theirs = await remembered(store, CATS[1], agent_id="doctor")
    mine = await remembered(store, CATS[2])

    for one in (*ours, *theirs, *mine):
        assert await links(store, one) == set()


async def test_an_agents_key_sees_the_links_of_its_own_memories(store: Store) -> None:
    ours = await remembered(store, CATS[0], CATS[1], agent_id="coach")
    others = await remembered(store, CATS[2])
    asked = {"name": "bound", "scopes": ["write"], "agent_id": "coach"}
    bound = with_key((await store.send("POST", "/v1/keys", asked)).json()["key"])

    async def get(path: str) -> httpx.Response:
        return await store.client.get(path, headers=bound)

    graph = (await get("/v1/users/alice/graph?agent_id=coach")).json()
    around = (await get(f"/v1/memories/{ours[0]}/links?depth=2")).json()

    assert {node["id"] for node in graph["nodes"]} == set(ours)
    assert {node["id"] for node in around["nodes"]} == set(ours)
    assert len(graph["links"]) == 1
    assert code_of(await get("/v1/users/alice/graph")) == "other-owner"
    for tail in ("note", "links", "evolutions"):
        assert code_of(await get(f"/v1/memories/{others[0]}/{tail}")) == "memory-not-found"


async def test_the_graph_holds_the_latest_memories_and_their_links(store: Store) -> None:
    ids = await remembered(store, *CATS, TAX)

    whole = await store.get("/v1/users/alice/graph")
    part = await store.get("/v1/users/alice/graph", limit=2)
    nobody = await store.client.get("/v1/users/nobody/graph")

    assert [node["id"] for node in whole["nodes"]] == ids[::-1]
    assert len(whole["links"]) == 3
    assert set(whole["nodes"][0]) == {"id", "content", "keywords", "tags", "context"}
    assert [node["id"] for node in part["nodes"]] == [ids[3], ids[2]]
    assert part["links"] == []
    assert code_of(nobody) == "owner-not-found"


async def test_linking_joins_tags_and_puts_it_on_record(store: Store) -> None:
    ids = await remembered(store, "apples pears plums", "apples pears plums pets dogs cats animals")

    changes = await evolutions(store, ids[1])

    assert [one["action"] for one in changes] == ["strengthen"]
    assert changes[0]["trigger_id"] == ids[1]
    assert changes[0]["before"]["tags"] != changes[0]["after"]["tags"]
    assert (await note(store, ids[1]))["tags"] == changes[0]["after"]["tags"]
    assert changes[0]["before"]["context"] == changes[0]["after"]["context"]


async def test_a_reverted_link_is_gone_and_the_tags_are_as_before(store: Store) -> None:
    ids = await remembered(store, "apples pears plums", "apples pears plums pets dogs cats animals")
    change = (await evolutions(store, ids[1]))[0]
    path = f"/v1/memories/{ids[1]}/evolutions/{change['id']}:revert"

    done = await store.client.post(path)
    again = await store.client.post(path)

    assert done.status_code == 200, done.text
    assert done.json()["reverted_at"] is not None
    assert (await note(store, ids[1]))["tags"] == change["before"]["tags"]
    assert await links(store, ids[0]) == set()
    assert again.status_code == 409
    assert again.json()["code"] == "note-changed"


async def test_a_memory_of_another_tenant_is_unknown(store: Store) -> None:
    ids = await remembered(store, *CATS[:2])
    change = (await evolutions(store, ids[1]))[0]
    path = f"/v1/memories/{ids[0]}/evolutions/{change['id']}:revert"

    assert (await store.client.post(path)).json()["code"] == "evolution-not-found"
