"""Facts of what was said: made, ended, corrected, taken back; as they held and as we knew them."""

from datetime import datetime
from itertools import pairwise

import pytest

from app.llm.fake import ScriptedModel
from app.llm.protocol import Prompt
from tests.facts.helpers import extract, held, listed, objects, said
from tests.memories.helpers import Json, Store

pytestmark = pytest.mark.pg


async def _rows(store: Store) -> list[tuple[object, ...]]:
    """Return all that is held of a user's facts, also what we know otherwise by now."""
    owner_id = (await store.scope()).owner_id
    return await store.rows(
        "SELECT object FROM facts WHERE owner_id = :owner_id "
        "UNION ALL SELECT object FROM fact_observations WHERE owner_id = :owner_id",
        owner_id=owner_id,
    )


HOME = {"subject": "Alice", "relation": "lives in"}


async def test_a_fact_has_its_times_and_its_source(store: Store) -> None:
    (stored,) = await store.remember(said("2020-05-01", "I live in Berlin. How are you?"))

    await extract(store)

    (one,) = await listed(store)
    assert (one["subject"], one["relation"], one["object"]) == ("Alice", "lives in", "Berlin")
    assert one["valid_from"] == "2020-05-01T09:00:00Z"
    assert one["known_from"] == (await store.read(stored["id"]))["created_at"]
    assert one["valid_to"] is one["known_to"] is None
    assert one["source_ids"] == [stored["id"]]
    assert one["generated_by"] == "deterministic:statements"


async def test_a_newer_object_ends_the_older(store: Store) -> None:
    await store.remember(said("2020-05-01", "I live in Berlin."))
    await store.remember(said("2021-05-01", "I moved to Rome."))

    await extract(store)

    assert await held(store, "2020-01-01", **HOME) == []
    assert await held(store, "2020-06-01", **HOME) == ["Berlin"]
    assert await held(store, "2022-01-01", **HOME) == ["Rome"]


async def test_relations_of_many_objects_end_only_when_it_is_said(store: Store) -> None:
    await store.remember(
        said("2020-01-01", "I like tea."),
        said("2020-02-01", "I like jazz."),
        said("2021-01-01", "I don't like tea anymore."),
    )

    await extract(store)

    assert sorted(await held(store, "2020-06-01")) == ["jazz", "tea"]
    assert await held(store, "2021-06-01") == ["jazz"]


async def test_a_late_correction_changes_as_of_but_not_known_at(store: Store) -> None:
    await store.remember(said("2020-05-01", "I live in Berlin."))
    await extract(store)
    (before,) = await listed(store)
    await store.remember(said("2022-01-01", "I lived in Rome from 2019 to 2021."))
    await extract(store)

    assert await held(store, "2020-04-01", **HOME) == ["Rome"]
    assert await held(store, "2020-04-01", known_at=before["known_from"], **HOME) == []
    assert await objects(store, known_at=before["known_from"], **HOME) == ["Berlin"]


async def test_an_edit_corrects_what_is_known_from_then_on(store: Store) -> None:
    (stored,) = await store.remember(said("2020-05-01", "I live in Berlin."))
    await extract(store)
    (before,) = await listed(store)

    edited = await store.edit(stored["id"], content="I live in Bonn.")
    await extract(store)

    assert await held(store, "2020-06-01") == ["Bonn"]
    assert await held(store, "2020-06-01", known_at=before["known_from"]) == ["Berlin"]
    (now,) = await listed(store)
    assert now["known_from"] == edited["updated_at"]


async def test_running_again_changes_nothing(store: Store) -> None:
    stored = await store.remember(
        said("2020-05-01", "I live in Berlin."), said("2021-05-01", "I live in Rome. I like tea.")
    )
    await extract(store)
    before = await listed(store)

    await store.edit(stored[0]["id"], importance=0.5)
    for _ in range(2):
        await extract(store)

    assert await listed(store) == before


async def test_erasing_a_source_reopens_what_it_had_ended(store: Store) -> None:
    await store.remember(said("2020-05-01", "I live in Berlin."))
    await extract(store)
    before = await listed(store)
    (later,) = await store.remember(said("2021-05-01", "I live in Rome."))
    await extract(store)
    assert await held(store, "2022-01-01") == ["Rome"]

    await store.erase(later["id"])

    (one,) = await listed(store)
    assert {**one, "id": None} == {**before[0], "id": None}
    assert "Rome" not in repr(await _rows(store))


async def test_a_fact_of_two_sources_survives_the_loss_of_one(store: Store) -> None:
    first, second = await store.remember(
        said("2020-05-01", "I live in Berlin."), said("2021-05-01", "I still live in Berlin.")
    )
    await extract(store)
    (one,) = await listed(store)
    assert one["source_ids"] == [first["id"], second["id"]]

    await store.erase(first["id"])

    (left,) = await listed(store)
    assert left["source_ids"] == [second["id"]]
    assert left["valid_from"] == "2021-05-01T09:00:00Z"
    assert left["confidence"] < one["confidence"]


async def test_an_archived_source_says_nothing_until_it_is_restored(store: Store) -> None:
    (stored,) = await store.remember(said("2020-05-01", "I live in Berlin."))
    await extract(store)

    await store.archive(stored["id"])
    assert await listed(store) == []
    await extract(store)
    assert await listed(store) == []

    await store.restore(stored["id"])
    await extract(store)
    assert await objects(store) == ["Berlin"]


async def test_what_agents_heard_is_laid_out_apart(store: Store) -> None:
    await store.remember(said("2020-05-01", "I live in Berlin."), agent_id="coach")
    await store.remember(said("2021-05-01", "I live in Rome."), agent_id="cook")
    await extract(store)

    assert await held(store, "2022-01-01", agent_id="coach") == ["Berlin"]
    assert sorted(await held(store, "2022-01-01")) == ["Berlin", "Rome"]


async def test_an_agent_has_facts_of_its_own(store: Store) -> None:
    await store.remember(said("2020-05-01", "I live in Berlin."), user_id=None, agent_id="coach")
    await extract(store, user_id="coach")

    found = (await store.get("/v1/facts", agent_id="coach"))["items"]

    assert [one["object"] for one in found] == ["Berlin"]
    assert await listed(store, user_id="nobody") == []


async def test_a_list_is_shown_page_by_page(store: Store) -> None:
    await store.remember(*(said("2020-05-01", f"I like thing{n}.") for n in range(5)))
    await extract(store)

    seen: list[str] = []
    page = await store.get("/v1/facts", user_id="alice", limit=2)
    while page["next_cursor"]:
        seen += [one["object"] for one in page["items"]]
        page = await store.get("/v1/facts", user_id="alice", limit=2, cursor=page["next_cursor"])
    seen += [one["object"] for one in page["items"]]

    assert seen == [f"thing{n}" for n in (4, 3, 2, 1, 0)]


async def test_switched_off_it_reads_nothing(store: Store) -> None:
    await store.send("PUT", "/v1/settings", {"mechanisms": {"facts": False}})
    await store.remember(said("2020-05-01", "I live in Berlin."))
    await extract(store)
    assert await listed(store) == []

    await store.send("PUT", "/v1/settings", {"mechanisms": {"facts": True}})
    await extract(store)
    assert await objects(store) == ["Berlin"]


async def test_without_its_memory_nothing_is_known(store: Store) -> None:
    """The check that the mechanism needs its memory: take the rows away, and it knows nothing."""
    await store.remember(said("2020-05-01", "I live in Berlin."))
    await extract(store)
    assert await held(store, "2022-01-01") == ["Berlin"]

    owner_id = (await store.scope()).owner_id
    await store.rows("DELETE FROM facts WHERE owner_id = :owner_id", owner_id=owner_id)

    assert await held(store, "2022-01-01") == []


def _model(*facts: Json) -> ScriptedModel:
    blank = {"turn": 1, "sentence": "", "single": True, "ended": False}
    answer = {"facts": [{**blank, **one} for one in facts]}

    def answered(_: Prompt) -> Json:
        return answer

    return ScriptedModel(answered, model="scripted")


async def test_a_model_reads_facts_and_the_gate_keeps_what_was_said(store: Store) -> None:
    text = "We settled in Lyon in 2018, you know."
    await store.remember(said("2020-05-01", text))
    model = _model(
        {"subject": "I", "relation": "settled in", "object": "Lyon", "sentence": text},
        {"subject": "I", "relation": "works at", "object": "Globex"},
        {"subject": "I", "relation": "lives in", "object": " ", "turn": 1},
        {"subject": "I", "relation": "lives in", "object": "Lyon", "turn": 7},
    )

    await extract(store, llm=model)

    (one,) = await listed(store)
    assert (one["subject"], one["relation"], one["object"]) == ("Alice", "settled in", "Lyon")
    assert one["valid_from"] == "2018-01-01T00:00:00Z"
    assert one["generated_by"] == "llm:scripted"


async def test_a_timeline_tells_what_is_asserted_and_what_is_only_likely(store: Store) -> None:
    await store.remember(
        said("2015-05-01", "I live in Berlin."),
        said("2017-05-01", "I live in Berlin."),
        said("2019-05-01", "I live in Rome."),
    )
    await extract(store)

    found = await store.get(
        "/v1/facts/timeline",
        user_id="alice",
        subject="Alice",
        relation="lives in",
        since="2015-01-01T00:00:00Z",
        until="2021-01-01T00:00:00Z",
    )

    assert [(one["state"], one["objects"]) for one in found["steps"]] == [
        ("asserted", ["Berlin"]),
        ("interpolated", ["Berlin"]),
        ("asserted", ["Berlin"]),
        ("contradictory", ["Berlin", "Rome"]),
        ("asserted", ["Rome"]),
        ("unknown", []),
    ]
    assert found["steps"][5]["candidates"][0]["object"] == "Rome"
    edges = [datetime.fromisoformat(one["start"]).year for one in found["steps"]]
    assert all(after - before == 1 for before, after in pairwise(edges))


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"since": "2021-01-01T00:00:00Z", "until": "2020-01-01T00:00:00Z"}, 422),
        ({"since": "2000-01-01T00:00:00Z", "until": "2020-01-01T00:00:00Z", "step": "day"}, 422),
        ({"since": "2020-01-15T00:00:00Z", "until": "2020-03-15T00:00:00Z", "step": "month"}, 200),
    ],
)
async def test_a_timeline_has_a_beginning_an_end_and_not_too_many_steps(
    store: Store, params: dict[str, str], status: int
) -> None:
    await store.remember(said("2015-05-01", "I live in Berlin."))
    asked = {"user_id": "alice", "subject": "Alice", "relation": "lives in", **params}

    answer = await store.client.get("/v1/facts/timeline", params=asked)

    assert answer.status_code == status, answer.text
    if status == 200:
        assert len(answer.json()["steps"]) == 3
    nobody = await store.client.get("/v1/facts/timeline", params={**asked, "user_id": "nobody"})
    assert nobody.status_code == status
