"""What is noted of memories without a language model."""

from collections.abc import Sequence

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.embeddings.fake import FakeEmbedder
from app.embeddings.protocol import Vectors
from app.kit.settings import Settings
from tests.linking.helpers import CATS, TAX, contents, note, organise, remembered
from tests.memories.helpers import Store, opened

pytestmark = pytest.mark.pg


class CountingEmbedder(FakeEmbedder):
    """Counts texts."""

    texts = 0

    async def embed(self, texts: Sequence[str]) -> Vectors:
        self.texts += len(texts)
        return await super().embed(texts)


async def test_a_note_tells_keywords_tags_and_context(store: Store) -> None:
    said = {"content": "Hi! Miso the cat broke my violin. Sad day.", "name": "Caroline"}
    ids = await remembered(store, said, TAX)

    found = await note(store, ids[0])

    assert {"miso", "cat", "violin"} <= set(found["keywords"])
    assert "caroline" not in found["keywords"]
    assert found["context"] == "Miso the cat broke my violin."
    assert len(found["tags"]) > 0
    assert found["generated_by"] == "deterministic:tf-idf"
    assert found["version"] == 1


async def test_what_is_near_a_broad_topic_is_tagged_with_it(store: Store) -> None:
    ids = await remembered(store, "pets dogs cats animals everywhere")

    found = await note(store, ids[0])

    assert found["tags"][0] == "pets"
    assert found["category"] == "pets"


async def test_a_memory_costs_one_more_embedding_and_a_repeat_none(
    room_settings: Settings, room_engine: AsyncEngine
) -> None:
    embedder = CountingEmbedder()
    async with opened(room_settings, room_engine, embedder=embedder) as store:
        await remembered(store, *CATS)  # the broad topics are embedded, too
        embedder.texts = 0
        await store.remember("One more thought about boats", user_id="bob")
        labels = embedder.texts
        await organise(store, user_id="bob")
        first = embedder.texts - labels
        await organise(store, user_id="bob")

    assert labels == 1
    assert first == 1 + 28
    assert embedder.texts == labels + first


async def test_a_repeat_changes_nothing(store: Store) -> None:
    await remembered(store, *CATS, TAX)
    before = await contents(store)
    scope = await store.scope()

    await organise(store)
    await store.rows("DELETE FROM mechanism_cursors WHERE owner_id = :o", o=scope.owner_id)
    await organise(store)

    assert await contents(store) == before


async def test_an_edited_memory_gets_another_note(store: Store) -> None:
    ids = await remembered(store, *CATS)
    await store.edit(ids[0], content="The zeppelin landed in Friedrichshafen")

    await organise(store)

    found = await note(store, ids[0])
    assert "zeppelin" in found["keywords"]
    assert "zeppelin" in found["context"]
    assert found["version"] > 1


async def test_what_is_kept_verbatim_only_has_no_note(store: Store) -> None:
    stored = await store.remember("Nobody shall read much into this", infer="none")
    await organise(store)

    answer = await store.client.get(f"/v1/memories/{stored[0]['id']}/note")

    assert answer.status_code == 404
    assert answer.json()["code"] == "note-not-found"


async def test_nothing_is_noted_while_the_mechanism_is_switched_off(store: Store) -> None:
    body = {"mechanisms": {"linking": False}}
    await store.send("PUT", "/v1/users/alice/settings", body)
    await store.remember(*CATS)

    await organise(store)
    assert await store.count("notes") == 0

    await store.send("PUT", "/v1/users/alice/settings", {})
    await organise(store)
    assert await store.count("notes") == 3


async def test_vectors_are_made_again_when_the_model_changed(store: Store) -> None:
    ids = await remembered(store, *CATS)
    scope = await store.scope()
    await store.rows("UPDATE notes SET model_id = 32000 WHERE owner_id = :o", o=scope.owner_id)
    table = (await store.spaces.current()).table
    assert table is not None
    derived = f"derived_vectors_{table.model_id}"
    await store.rows(f"DELETE FROM {derived} WHERE owner_id = :o", o=scope.owner_id)

    await organise(store)

    assert await store.count(derived) == len(ids)
    assert await store.rows(
        "SELECT DISTINCT model_id FROM notes WHERE owner_id = :o", o=scope.owner_id
    ) == [(table.model_id,)]


async def test_a_very_long_memory_is_noted_by_its_beginning(store: Store) -> None:
    ids = await remembered(store, "The lighthouse keeper counts ships. " + "word " * 50_000)

    found = await note(store, ids[0])

    assert found["context"] == "The lighthouse keeper counts ships."
