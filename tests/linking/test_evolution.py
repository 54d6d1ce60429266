"""What a language model's answers do to notes and links, and what they cannot do."""

import pytest

from app.llm.errors import LlmAnswerError
from app.llm.fake import ScriptedModel
from app.llm.protocol import Prompt
from tests.api import code_of
from tests.linking.helpers import (
    CATS,
    TAX,
    contents,
    evolutions,
    links,
    note,
    organise,
    remembered,
)
from tests.memories.helpers import Json, Sent, Store

pytestmark = pytest.mark.pg

NOTHING: Json = {
    "should_evolve": False,
    "actions": [],
    "suggested_connections": [],
    "tags_to_update": [],
    "new_context_neighborhood": [],
    "new_tags_neighborhood": [],
}


def noted(keywords: str, *, context: str = "It is about a cat.", tags: str = "pets") -> Json:
    return {"keywords": keywords.split(), "context": context, "tags": tags.split()}


def evolved(*actions: str, **members: Sent) -> Json:
    return {**NOTHING, "should_evolve": True, "actions": list(actions), **members}


def plans(*answers: Json) -> ScriptedModel:
    """Return a model that writes plain notes, and decides on evolutions as told, in order."""
    left = list(answers)

    def answer(prompt: Prompt) -> Json:
        if prompt.name == "linking.note":
            return noted("grey cat kitchen")
        return left.pop(0) if left else NOTHING

    return ScriptedModel(answer)


async def test_the_models_note_is_stored(store: Store) -> None:
    ids = [one["id"] for one in await store.remember(CATS[0])]
    await organise(store, llm=ScriptedModel([noted("kitchen cat", tags="pets home")]))

    found = await note(store, ids[0])

    assert found["keywords"] == ["kitchen", "cat"]
    assert found["tags"] == ["pets", "home"]
    assert found["context"] == "It is about a cat."
    assert found["generated_by"] == "llm:scripted"


async def test_what_no_source_says_is_not_stored(store: Store) -> None:
    ids = [one["id"] for one in await store.remember(CATS[0])]
    answer = noted("kitchen Barcelona", context="A cat sleeps. It has 17 kittens in Paris.")
    await organise(store, llm=ScriptedModel([answer]))

    found = await note(store, ids[0])

    assert found["keywords"] == ["kitchen"]
    assert found["context"] == "A cat sleeps."


async def test_the_prompt_holds_the_true_neighbours_nearest_first(store: Store) -> None:
    await remembered(store, *CATS, TAX)
    model = plans()
    await store.remember("Miso the grey cat hides in the kitchen")

    await organise(store, llm=model, neighbours=3)

    asked = [prompt for prompt in model.asked if prompt.name == "linking.evolution"]
    assert len(asked) == 1
    assert [said in asked[0].user for said in (*CATS, TAX)] == [True, True, True, False]
    assert 'id="4"' not in asked[0].user
    assert model.payers[0] == (store.tenant_id, (await store.scope()).owner_id)


async def test_exactly_the_nearest_change(store: Store) -> None:
    ids = await remembered(store, *CATS, TAX)
    before = [await note(store, one) for one in ids]
    model = plans(
        evolved(
            "update_neighbor",
            new_context_neighborhood=["It is about a cat at home."] * 3,
            new_tags_neighborhood=[["cat"]] * 3,
        )
    )
    new = await store.remember("Miso the grey cat hides in the kitchen")
    await organise(store, llm=model, neighbours=3)

    after = [await note(store, one) for one in ids]

    assert [one["context"] for one in after[:3]] == ["It is about a cat at home."] * 3
    assert [one["tags"] for one in after[:3]] == [["cat"]] * 3
    assert after[3] == before[3]
    for one, old in zip(ids[:3], before, strict=False):
        change = (await evolutions(store, one))[-1]
        assert change["action"] == "update_neighbor"
        assert change["trigger_id"] == new[0]["id"]
        state = {name: old[name] for name in ("keywords", "tags", "context")}
        assert change["before"] == state
        assert change["after"] == {**state, "tags": ["cat"],
                                   "context": "It is about a cat at home."}  # fmt: skip


async def test_suggested_links_are_made_to_neighbours_only(store: Store) -> None:
    ids = await remembered(store, *CATS, TAX)
    model = plans(
        evolved(
            "strengthen",
            suggested_connections=[
                {"id": 1, "reason": "the same cat"},
                {"id": 4, "reason": "not a neighbour"},
                {"id": 5, "reason": "itself"},
                {"id": 99, "reason": "nobody"},
            ],
            tags_to_update=["cat", "kitchen"],
        )
    )
    new = (await store.remember("Miso the grey cat hides in the kitchen"))[0]["id"]

    await organise(store, llm=model, neighbours=3)

    assert await links(store, new) == {frozenset((new, ids[0]))}
    link = next(
        one
        for one in (await store.get(f"/v1/memories/{new}/links"))["links"]
        if one["source"] == new
    )
    assert (link["kind"], link["reason"]) == ("suggested", "the same cat")
    assert link["generated_by"] == "llm:scripted"
    assert (await note(store, new))["tags"] == ["cat", "kitchen"]


async def test_the_vector_of_a_changed_note_is_made_anew_at_once(store: Store) -> None:
    ids = await remembered(store, CATS[0])
    model = plans(
        evolved(
            "update_neighbor",
            new_context_neighborhood=["A zebra!"],
            new_tags_neighborhood=[["kitchen"]],
        )
    )
    await store.remember("Miso the grey cat saw a zebra in the kitchen")
    before = await _vectors(store)

    await organise(store, llm=model)

    after = await _vectors(store)
    assert (await note(store, ids[0]))["context"] == "A zebra!"
    assert after[1] != before[1]
    assert await store.rows(
        "SELECT count(*) FROM notes WHERE owner_id = :o AND embed_version < version",
        o=(await store.scope()).owner_id,
    ) == [(0,)]


async def _vectors(store: Store) -> dict[int, str]:
    table = (await store.spaces.current()).table
    assert table is not None
    rows = await store.rows(
        f"SELECT ordinal, vector::text FROM derived_vectors_{table.model_id} "
        "WHERE owner_id = :o AND space = 'note'",
        o=(await store.scope()).owner_id,
    )
    return dict(row for row in map(tuple, rows))


async def test_all_stale_vectors_are_renewed_after_so_many_changes(store: Store) -> None:
    await remembered(store, "apples pears plums", "apples pears plums pets dogs cats animals")
    stale = "SELECT count(*) FROM notes WHERE owner_id = :o AND embed_version < version"
    owner_id = (await store.scope()).owner_id
    assert await store.rows(stale, o=owner_id) == [(1,)]
    model = plans(evolved("strengthen", tags_to_update=["apples"]))
    await store.remember("apples pears plums again")

    await organise(store, llm=model, rebuild_after=2)
    await organise(store, llm=model, only=("linking.note",))

    assert await store.rows(stale, o=owner_id) == [(0,)]


async def test_a_change_is_reverted_exactly_and_in_order_only(store: Store) -> None:
    ids = await remembered(store, CATS[0])
    first = await note(store, ids[0])
    contexts = ("A cat at rest.", "A cat in a kitchen.")
    model = plans(*(
        evolved(
            "update_neighbor",
            new_context_neighborhood=[context] * neighbours,
            new_tags_neighborhood=[["cat"]] * neighbours,
        )
        for neighbours, context in enumerate(contexts, 1)
    ))  # fmt: skip
    for said in CATS[1:]:
        await store.remember(said)
        await organise(store, llm=model)
    changes = await evolutions(store, ids[0])
    paths = [f"/v1/memories/{ids[0]}/evolutions/{one['id']}:revert" for one in changes]

    assert len(changes) == 2
    assert code_of(await store.client.post(paths[0])) == "note-changed"
    assert (await store.client.post(paths[1])).status_code == 200
    assert (await note(store, ids[0]))["context"] == "A cat at rest."
    assert (await store.client.post(paths[0])).status_code == 200

    now = await note(store, ids[0])
    assert {name: now[name] for name in ("keywords", "tags", "context")} == {
        name: first[name] for name in ("keywords", "tags", "context")
    }


async def test_erasing_a_memory_takes_back_what_it_changed(store: Store) -> None:
    ids = await remembered(store, CATS[0])
    first = await note(store, ids[0])
    model = plans(
        evolved(
            "strengthen",
            "update_neighbor",
            suggested_connections=[{"id": 1, "reason": "a zebra"}],
            tags_to_update=["zebra"],
            new_context_neighborhood=["Of a cat and a zebra."],
            new_tags_neighborhood=[["zebra"]],
        )
    )
    new = (await store.remember("Miso the grey cat saw a zebra in the kitchen"))[0]["id"]
    await organise(store, llm=model)
    assert "zebra" in str(await contents(store))

    await store.erase(new)

    now = await note(store, ids[0])
    assert {name: now[name] for name in ("keywords", "tags", "context")} == {
        name: first[name] for name in ("keywords", "tags", "context")
    }
    assert "zebra" not in str(await contents(store))


async def test_editing_a_memory_takes_back_what_it_changed(store: Store) -> None:
    ids = await remembered(store, CATS[0])
    model = plans(
        evolved(
            "update_neighbor",
            new_context_neighborhood=["Of a cat and a zebra."],
            new_tags_neighborhood=[["zebra"]],
        )
    )
    new = (await store.remember("Miso the grey cat saw a zebra in the kitchen"))[0]["id"]
    await organise(store, llm=model)
    await store.edit(new, content="Miso the grey cat saw a bird in the kitchen")

    await organise(store, llm=plans())

    assert "zebra" not in str(await contents(store))
    assert (await note(store, ids[0]))["tags"] != ["zebra"]


async def test_a_repeat_asks_nothing_and_changes_nothing(store: Store) -> None:
    await store.remember(*CATS)
    model = plans()
    await organise(store, llm=model)
    before, asked = await contents(store), len(model.asked)
    owner_id = (await store.scope()).owner_id

    await store.rows("DELETE FROM mechanism_cursors WHERE owner_id = :o", o=owner_id)
    await organise(store, llm=model)

    assert await contents(store) == before
    assert len(model.asked) == asked == 3 + 3


async def test_contexts_that_are_not_one_for_each_neighbour_fail_the_task(store: Store) -> None:
    await remembered(store, *CATS)
    before = await contents(store)
    model = plans(
        evolved(
            "update_neighbor",
            new_context_neighborhood=["Of a cat."],
            new_tags_neighborhood=[["cat"], ["cat"]],
        )
    )
    new = await store.remember("Miso the grey cat hides in the kitchen")

    with pytest.raises(LlmAnswerError):
        await organise(store, llm=model)

    after = await contents(store)
    assert after[1:] == before[1:]
    assert len(after[0]) == len(before[0]) + len(new)


async def test_neighbours_of_another_agent_are_not_shown(store: Store) -> None:
    await remembered(store, CATS[0], agent_id="coach")
    model = plans()
    await store.remember(CATS[1], agent_id="doctor")

    await organise(store, llm=model)

    assert [prompt.name for prompt in model.asked] == ["linking.note"]
