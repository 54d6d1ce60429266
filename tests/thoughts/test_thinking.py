"""Thoughts of what was said: made, made anew, taken back; cheap, and never twice."""

from collections.abc import Sequence

import pytest

from app.embeddings.fake import FakeEmbedder
from app.embeddings.protocol import Vectors
from app.jobs.errors import TaskPostponedError
from tests.memories.helpers import Store
from tests.thoughts.helpers import enrich, listed, run, said, table, texts, thought_of

pytestmark = pytest.mark.pg


async def test_what_was_said_is_thought_of_with_its_source(store: Store) -> None:
    (stored,) = await store.remember(said(1, "I live in Berlin. What about you?"))

    await enrich(store)

    (one,) = await listed(store)
    assert (one["head"], one["relation"], one["tail"]) == ("Alice", "lives in", "Berlin")
    assert one["text"] == "Alice: I live in Berlin."
    assert one["source_ids"] == [stored["id"]]
    assert one["generated_by"] == "deterministic:patterns"
    assert one["status"] == "active"
    assert one["valid_to"] is None


async def test_a_thought_is_a_memory_with_provenance_that_recall_does_not_see(
    store: Store,
) -> None:
    await store.remember(said(1, "I live in Berlin. It is nice."))
    await enrich(store)

    (one,) = await listed(store)
    memory = await store.read(one["id"])
    hits = (await store.recall("Where does Alice live? Berlin"))["hits"]

    assert memory["kind"] == "thought"
    assert memory["content"] == one["text"]
    assert [hit["kind"] for hit in hits] == ["episode"]


async def test_what_others_say_to_the_user_is_not_thought_of_by_rule(store: Store) -> None:
    await store.remember(
        {"content": "I live in a data centre.", "role": "assistant"},
        {"content": "I live in Rome.", "role": "user"},
    )

    await enrich(store)

    assert await texts(store) == {"I live in Rome."}
    assert [one["head"] for one in await listed(store)] == ["User"]


async def test_running_again_changes_nothing(store: Store) -> None:
    await store.remember(said(1, "I like tea."), said(2, "I like jazz."), said(3, "I like tea!"))
    await enrich(store)
    before = await table(store)
    memories = await store.count("memories")

    await enrich(store)

    assert await table(store) == before
    assert await store.count("memories") == memories


async def test_a_thought_that_is_its_whole_memory_needs_no_embedding(store: Store) -> None:
    await store.remember(said(1, "I live in Berlin."), said(2, "We went to the beach today."))
    requests = store.embedder.requests

    await enrich(store)

    assert store.embedder.requests == requests
    assert len(await listed(store)) == 2


async def test_thoughts_of_an_edited_memory_are_made_anew(store: Store) -> None:
    (stored,) = await store.remember(said(1, "I live in Berlin."))
    await enrich(store)

    await store.edit(stored["id"], content="I live in Bern. I like cheese.")
    await enrich(store)

    assert await texts(store) == {"Alice: I live in Bern.", "Alice: I like cheese."}


async def test_thoughts_of_an_archived_memory_vanish_at_once_and_come_back(store: Store) -> None:
    (stored,) = await store.remember(said(1, "I live in Berlin."))
    await enrich(store)

    await store.archive(stored["id"])
    at_once = await listed(store)
    recalled = (await thought_of(store, "Berlin"))["thoughts"]
    await enrich(store)
    rows = await store.count("thoughts")
    await store.restore(stored["id"])
    await enrich(store)

    assert at_once == recalled == []
    assert rows == 0
    assert await texts(store) == {"Alice: I live in Berlin."}


async def test_erasing_a_memory_erases_its_thoughts_at_once(store: Store) -> None:
    (stored,) = await store.remember(said(1, "I live in Berlin. I like tea."))
    await enrich(store)

    await store.erase(stored["id"])

    for name in ("thoughts", "memories", "memory_sources", "derived_vectors_1"):
        assert await store.count(name) == 0, name


async def test_an_edit_during_the_work_is_not_lost(store: Store) -> None:
    """What was read of a memory that changes before its thoughts are stored is not stored."""
    (stored, _) = await store.remember(
        said(1, "I live in Berlin. Yes."), said(2, "I like tea. No.")
    )

    class Meddler(FakeEmbedder):
        async def embed(self, texts: Sequence[str]) -> Vectors:
            if not self.requests:
                self.requests += 1
                await store.edit(stored["id"], content="I live in Bern. Yes.")
            return await super().embed(texts)

    meddler = Meddler()
    meddler.model = store.embedder.model
    store.spaces._embedders[meddler.model] = meddler
    await run(store, "thoughts.think")
    first = await texts(store)
    await run(store, "thoughts.think")

    assert "Alice: I live in Berlin." not in first
    assert await texts(store) == {"Alice: I live in Bern.", "Alice: I like tea."}


async def test_thinking_waits_for_an_embedder_that_is_away(store: Store) -> None:
    await store.remember(said(1, "I live in Berlin. And so on."))
    store.embedder.failing = True

    with pytest.raises(TaskPostponedError):
        await run(store, "thoughts.think")
    store.embedder.failing = False
    await enrich(store)

    assert await texts(store) == {"Alice: I live in Berlin."}


async def test_switched_off_it_thinks_nothing_and_catches_up_later(store: Store) -> None:
    path = "/v1/users/alice/settings"
    await store.send("PUT", path, {"mechanisms": {"thoughts": False}})
    await store.remember(said(1, "I live in Berlin."))
    await enrich(store)
    nothing = await store.count("thoughts")

    await store.send("PUT", path, {"mechanisms": {"thoughts": True}})
    await enrich(store)

    assert nothing == 0
    assert await texts(store) == {"Alice: I live in Berlin."}


async def test_what_is_stored_verbatim_only_is_not_thought_of(store: Store) -> None:
    await store.remember(said(1, "I live in Berlin."), infer="none")

    await enrich(store)

    assert await store.count("thoughts") == 0


async def test_other_languages_are_kept_as_sentences(store: Store) -> None:
    await store.send("PUT", "/v1/users/alice/settings", {"language": "de"})
    await store.remember(said(1, "Ich wohne in Berlin. Und du?"))

    await enrich(store)

    (one,) = await listed(store)
    assert (one["head"], one["relation"], one["tail"]) == ("Alice", None, None)
    assert one["text"] == "Alice: Ich wohne in Berlin."


async def test_erasing_a_user_leaves_nothing(store: Store) -> None:
    await store.remember(said(1, "I like tea."), said(2, "I like jazz."))
    await enrich(store)
    scope = await store.scope()

    answer = await store.client.delete("/v1/users/alice")

    assert answer.status_code == 200
    assert answer.json()["erased"]["thoughts"] == 3
    for name in ("thoughts", "thought_hashes", "derived_vectors_1", "mechanism_cursors"):
        rows = await store.rows(
            f"SELECT count(*) FROM {name} WHERE owner_id = :owner_id", owner_id=scope.owner_id
        )
        assert rows == [(0,)], name
