"""Profiles: shades from topics, a biography from shades, versions that differ."""

import json

import pytest

from app.jobs.errors import TaskPostponedError
from tests.api import code_of, with_key
from tests.memories.helpers import Json, Store
from tests.profiles.helpers import GARDEN, VIOLIN, enrich, profile, run, said, texts, topics

pytestmark = pytest.mark.pg


async def test_before_the_first_version_a_profile_is_empty(store: Store) -> None:
    await store.remember("hello")

    empty = await profile(store)

    assert empty["version"] == 0
    assert (empty["shades"], empty["summary"]) == ([], [])
    assert empty["biography"]["third_person"] == ""


async def test_topics_become_shades_with_timelines_that_cite_memories(store: Store) -> None:
    stored = await store.remember(*topics())

    await enrich(store)

    found = await profile(store)
    assert found["version"] == 1
    garden = next(shade for shade in found["shades"] if "garden" in shade["name"])
    violin = next(shade for shade in found["shades"] if "violin" in shade["name"])
    ids = {one["id"]: one for one in stored}
    for shade, said_of_it in ((garden, GARDEN), (violin, VIOLIN)):
        assert shade["size"] >= 2
        assert shade["generated_by"] == "deterministic:c-tf-idf"
        assert (shade["aspect"], shade["icon"]) == (None, None)
        assert all(entry["memory_id"] in ids for entry in shade["timeline"])
        assert {entry["text"] for entry in shade["timeline"]} <= set(said_of_it)
        assert [one["at"] for one in shade["timeline"]] == sorted(
            one["at"] for one in shade["timeline"]
        )
        assert str(shade["size"]) in shade["description"]
        assert shade["description_second_person"].startswith("You ")
        assert set(shade["source_ids"]) <= set(ids)
    assert [shade["confidence"] for shade in found["shades"]] == [5, 3]


async def test_the_biography_is_built_from_the_shades(store: Store) -> None:
    await store.remember(*topics())
    await enrich(store)
    before = await profile(store)

    await store.remember(*(said("2026-03-20", f"The violin needs practice {i}.") for i in range(9)))
    await enrich(store)

    after = await profile(store)
    for one in (before, after):
        for shade in one["shades"]:
            assert shade["name"] in one["biography"]["third_person"]
            assert shade["name"] in one["biography"]["second_person"]
    assert before["biography"]["third_person"] != after["biography"]["third_person"]
    assert before["biography"]["generated_by"] == "deterministic:shades"


async def test_a_profile_condenses_the_days(store: Store) -> None:
    await store.remember(*topics())

    await enrich(store)

    found = await profile(store)
    assert 1 <= len(found["summary"]) <= 12
    assert all(line["source_ids"] and line["day"] for line in found["summary"])
    assert found["portrait"]["days"] == 9
    assert sum(found["portrait"]["active_hours"]) == 9
    assert found["portrait"]["traits"] is None
    assert [line["day"] for line in found["status"]] == ["2026-03-12", "2026-03-13", "2026-03-14"]


async def test_outliers_become_a_shade_when_there_are_enough(store: Store) -> None:
    await store.remember(*topics())
    await enrich(store)
    assert "chess" not in texts(await profile(store))

    chess = ("a tournament", "an opening", "an endgame", "a gambit", "a problem")
    await store.remember(
        *(said("2026-03-23", f"Playing chess club chess games: {one}.") for one in chess)
    )
    await enrich(store)

    assert "chess" in texts(await profile(store))


async def test_what_an_assistant_said_is_no_side_of_the_user(store: Store) -> None:
    spoken = [said(f"2026-03-0{i}", text, role="assistant") for i, text in enumerate(VIOLIN, 1)]
    await store.remember(*spoken, *(said("2026-03-09", text) for text in GARDEN))

    await enrich(store)

    assert "violin" not in texts(await profile(store))
    assert "garden" in texts(await profile(store))


async def test_an_agents_own_words_are_its_profile(store: Store) -> None:
    spoken = [said(f"2026-03-0{i}", text, role="assistant") for i, text in enumerate(GARDEN, 1)]
    await store.remember(*spoken, user_id=None, agent_id="gardener")
    scope = await store.rows(
        "SELECT external_id FROM owners WHERE tenant_id = :t AND kind = 'agent'", t=store.tenant_id
    )
    assert scope == [("gardener",)]

    await enrich(store, user_id="gardener")

    found = await store.get("/v1/agents/gardener/profile")
    assert "garden" in texts(found)
    assert (await store.get("/v1/agents/gardener/shades"))["items"] == found["shades"]


async def test_switched_off_there_is_no_profile(store: Store) -> None:
    await store.send("PUT", "/v1/users/alice/settings", {"mechanisms": {"profiles": False}})
    await store.remember(*topics())

    await enrich(store)

    assert (await profile(store))["version"] == 0


async def test_topics_wait_for_an_embedder_that_is_away(store: Store) -> None:
    await store.remember(*topics())
    store.embedder.failing = True

    with pytest.raises(TaskPostponedError):
        await enrich(store)
    store.embedder.failing = False
    await enrich(store)

    assert (await profile(store))["version"] == 1


async def test_a_refresh_is_a_job(store: Store) -> None:
    await store.remember(*topics())

    answer = await store.send("POST", "/v1/users/alice/profile:refresh", {})

    assert answer.status_code == 202
    job = await store.get(f"/v1/jobs/{answer.json()['job_id']}")
    assert job["kind"] == "profile"
    assert [task["name"] for task in job["tasks"]] == ["profiles.summarise", "profiles.refresh"]


async def test_an_unknown_user_has_no_profile(store: Store) -> None:
    for path in ("profile", "profile/versions", "shades", "summaries", "export/sft"):
        answer = await store.client.get(f"/v1/users/nobody/{path}")
        assert (answer.status_code, code_of(answer)) == (404, "owner-not-found")


async def test_a_key_bound_to_an_agent_sees_no_users_profile(store: Store) -> None:
    await store.remember(*topics(), agent_id="helper")
    await enrich(store)
    answer = await store.send(
        "POST", "/v1/keys", {"name": "bound", "scopes": ["read"], "agent_id": "helper"}
    )
    assert answer.status_code == 201, answer.text
    key = str(answer.json()["key"])

    for path in ("profile", "profile/versions", "shades", "summaries", "export/sft"):
        refused = await store.client.get(f"/v1/users/alice/{path}", headers=with_key(key))
        assert (refused.status_code, code_of(refused)) == (403, "other-owner")


async def test_a_profile_is_exported_as_examples(store: Store) -> None:
    stored = await store.remember(*topics())
    await enrich(store)

    answer = await store.client.get("/v1/users/alice/export/sft")

    assert answer.headers["content-type"].startswith("application/jsonl")
    examples: list[Json] = [json.loads(line) for line in answer.text.splitlines()]
    ids = {one["id"] for one in stored}
    assert len(examples) > 9
    for example in examples:
        assert [one["role"] for one in example["messages"]] == ["system", "user", "assistant"]
        assert all(one["content"] for one in example["messages"])
        assert set(example["source_ids"]) <= ids
    questions = [one["messages"][1]["content"] for one in examples]
    assert "Who am I?" in questions
    assert "What happened on 2026-03-01?" in questions


async def test_many_small_writes_cost_no_full_look(store: Store) -> None:
    await store.remember(*topics())
    await run(store, "profiles.refresh")
    requests = store.embedder.requests

    await store.remember(said("2026-03-21", "The garden is full of tomatoes."))
    before = store.embedder.requests
    await run(store, "profiles.refresh")

    assert store.embedder.requests == before > requests
