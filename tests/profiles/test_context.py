"""Text for a prompt begins with the profile, within a third of the budget, nothing twice."""

from datetime import UTC, datetime

import pytest

from tests.api import with_key
from tests.memories.helpers import Json, Store
from tests.profiles.helpers import enrich, said, topics

pytestmark = pytest.mark.pg


def _profile(packed: Json) -> Json:
    section: Json = packed["sections"][0]
    assert section["name"] == "profile"
    return section


async def test_a_prompt_begins_with_the_profile(store: Store) -> None:
    await store.remember(*topics())
    await enrich(store)

    packed = await store.context("What grows here?", max_tokens=2_000)

    assert packed["text"].startswith("## Profile\n- Spoken of in 4 memories")
    assert "violin" in _profile(packed)["text"]


@pytest.mark.parametrize("count_by", ["embedder", "characters"])
async def test_the_profile_takes_a_third_at_most(store: Store, count_by: str) -> None:
    await store.remember(*topics())
    await enrich(store)

    for max_tokens in (5, 30, 60, 90, 150, 300, 900):
        packed = await store.context("tomatoes", max_tokens=max_tokens, count_by=count_by)
        assert _profile(packed)["tokens"] <= max_tokens / 3
        assert packed["tokens"] <= max_tokens
        if count_by == "characters":
            assert -(-len(packed["text"]) // 4) <= max_tokens


async def test_no_memory_stands_in_it_twice(store: Store) -> None:
    await store.remember(*topics())
    await enrich(store)

    packed = await store.context("garden violin tomatoes", max_tokens=5_000)

    ids = [one for section in packed["sections"] for one in section["memory_ids"]]
    assert len(ids) == len(set(ids))
    assert packed["text"].count("The violin concert was wonderful.") == 1


async def test_a_narrow_question_loses_no_memory_to_the_profile(store: Store) -> None:
    await store.remember(*topics())
    before = await store.context("Which strings for the violin did I buy?", max_tokens=90)
    await enrich(store)

    after = await store.context("Which strings for the violin did I buy?", max_tokens=90)
    broad = await store.context("What do I like?", max_tokens=90)
    roomy = await store.context("Which strings for the violin did I buy?", max_tokens=2_000)

    assert after == before
    assert _profile(after)["text"] == ""
    assert _profile(broad)["text"]
    assert _profile(roomy)["text"]


async def test_a_question_in_another_language_is_broad_by_its_own_words(store: Store) -> None:
    await store.send("PUT", "/v1/users/alice/settings", {"language": "de"})
    await store.remember(*topics())
    await enrich(store)

    broad = await store.context("Was sind meine Hobbys?", max_tokens=90)
    narrow = await store.context(
        "Welche Saiten der Geige habe ich im Laden gekauft?", max_tokens=90
    )

    assert _profile(broad)["text"]
    assert _profile(narrow)["text"] == ""


async def test_a_filter_leaves_the_profile_out(store: Store) -> None:
    await store.remember(*topics())
    await enrich(store)
    filters = {"occurred_at": {"lt": "2026-03-05T00:00:00Z"}}

    whole = await store.context("What do I like?", max_tokens=2_000)
    part = await store.context("What do I like?", max_tokens=2_000, filters=filters)

    assert "violin" in _profile(whole)["text"]
    assert (_profile(part)["text"], _profile(part)["memory_ids"]) == ("", [])
    assert "violin" not in part["text"]


async def test_an_agents_part_comes_without_the_profile(store: Store) -> None:
    await store.remember(*topics(), agent_id="helper")
    await enrich(store)
    body = {"name": "bound", "scopes": ["read"], "agent_id": "helper"}
    made = await store.send("POST", "/v1/keys", body)
    headers = with_key(str(made.json()["key"]))

    whole = await store.context("garden")
    part = await store.context("garden", agent_id="helper")
    asked = {"query": "garden", "user_id": "alice", "agent_id": "helper"}
    bound = await store.send("POST", "/v1/context", asked, headers)

    assert _profile(whole)["text"]
    assert _profile(part)["text"] == ""
    assert _profile(bound.json())["text"] == ""


async def test_what_has_expired_is_not_quoted(store: Store) -> None:
    soon = datetime(2026, 3, 1, 10, tzinfo=UTC).isoformat()
    (stored,) = await store.remember(said("2026-03-01", "The password is zanzibar."))
    await enrich(store)
    before = await store.context("violin")

    await store.edit(stored["id"], expires_at=soon)

    assert "zanzibar" in _profile(before)["text"] + before["text"]
    assert "zanzibar" not in (await store.context("violin"))["text"]
