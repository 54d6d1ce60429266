"""Votes over HTTP: found with their recall, heeded by similar questions of the same owner alone."""

from datetime import timedelta

import pytest

from app.feedback import service
from app.feedback.service import voting
from app.kit.clock import now
from app.kit.ids import new_id
from tests.api import code_of, new_tenant, with_key
from tests.memories.helpers import Json, Sent, Store, twin

pytestmark = pytest.mark.pg

SAID = (
    "Miso the cat sleeps on the sofa",
    "The cat eats fish on Fridays",
    "A cat ran across the garden",
    "The tax office wants seventeen forms",
)
QUERY = "where does the cat sleep"


async def _asked(store: Store, query: str = QUERY, **more: Sent) -> Json:
    return await store.recall(query, retention=False, explain=True, **more)


async def _vote(store: Store, recalled: Json, place: int, useful: Sent) -> Json:
    body = {
        "recall_id": recalled["recall_id"],
        "memory_id": recalled["hits"][place]["id"],
        "useful": useful,
    }
    answer = await store.send("POST", "/v1/feedback", body)
    assert answer.status_code == 200, answer.text
    said: Json = answer.json()
    return said


def _scores(recalled: Json) -> dict[str, float]:
    return {hit["id"]: hit["score"] for hit in recalled["hits"]}


async def test_a_hit_that_was_of_no_use_scores_less_next_time(store: Store) -> None:
    await store.remember(*SAID)
    before = await _asked(store)

    said = await _vote(store, before, 0, useful=False)
    after = await _asked(store)

    voted = before["hits"][0]["id"]
    assert said["status"] == "stored"
    assert said["error"] == pytest.approx(-said["predicted"])
    assert 0 < _scores(before)[voted] - _scores(after)[voted] <= 0.25
    hit = next(hit for hit in after["hits"] if hit["id"] == voted)
    assert hit["explain"]["feedback"] == pytest.approx(0.5 * said["error"] / 2, abs=1e-3)
    assert hit["explain"]["relevance"] == before["hits"][0]["score"]
    assert {hit["id"] for hit in after["hits"]} == {hit["id"] for hit in before["hits"]}


async def test_a_hit_that_was_just_right_rises(store: Store) -> None:
    await store.remember(*SAID)
    before = await _asked(store)

    for _ in range(4):
        await _vote(store, await _asked(store, compensate=False), 1, useful=1.0)
    after = await _asked(store)

    voted = before["hits"][1]["id"]
    assert _scores(after)[voted] > _scores(before)[voted]


async def test_without_votes_scores_are_the_same_to_the_last_bit(store: Store) -> None:
    await store.remember(*SAID)
    await store.remember(*SAID, user_id="bob")
    before = await _asked(store)

    await _vote(store, await _asked(store, user_id="bob"), 0, useful=False)

    assert (await _asked(store))["hits"] == before["hits"]
    assert (await _asked(store, compensate=False))["hits"] == before["hits"]


@pytest.mark.parametrize("limit", [1, 10])
async def test_a_recall_that_leaves_votes_out_is_the_same_to_the_last_bit(
    store: Store, limit: int
) -> None:
    await store.remember(*SAID)
    before = await _asked(store, limit=limit)

    await _vote(store, before, 0, useful=False)

    assert (await _asked(store, limit=limit, compensate=False))["hits"] == before["hits"]


async def test_a_vote_says_nothing_of_other_questions(store: Store) -> None:
    await store.remember(*SAID)
    other = "zebra xylophone quantum"
    before = await _asked(store, other)

    await _vote(store, await _asked(store), 0, useful=False)

    assert (await _asked(store, other))["hits"] == before["hits"]


async def test_a_vote_counts_for_memories_much_like_it(store: Store) -> None:
    await store.remember(SAID[0], SAID[0] + " now", SAID[3])

    recalled = await _asked(store)
    await _vote(store, recalled, 0, useful=False)
    after = await _asked(store)

    moved = [hit["explain"]["feedback"] for hit in after["hits"]]
    assert sum(value is not None for value in moved) == 2


async def test_the_same_vote_twice_counts_once_and_the_last_word_counts(store: Store) -> None:
    await store.remember(*SAID)
    recalled = await _asked(store)

    stored = await _vote(store, recalled, 0, useful=0.25)
    once = await _asked(store)
    repeated = await _vote(store, recalled, 0, useful=0.25)
    assert _scores(await _asked(store)) == pytest.approx(_scores(once), abs=1e-6)
    changed = await _vote(store, recalled, 0, useful=True)

    assert [one["status"] for one in (stored, repeated, changed)] == [
        "stored",
        "repeated",
        "changed",
    ]
    assert await store.count("votes") == 1
    assert changed["error"] > 0


async def test_new_votes_take_the_place_of_the_oldest(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voting, "SLOTS", 3)
    await store.remember(*SAID)

    for _ in range(5):
        await _vote(store, await _asked(store), 0, useful=False)

    assert await store.count("votes") == 3


async def test_unknown_and_foreign_recalls_are_not_found(store: Store) -> None:
    await store.remember(*SAID)
    recalled = await _asked(store)
    memory_id = recalled["hits"][0]["id"]
    foreign = {"recall_id": recalled["recall_id"], "memory_id": memory_id, "useful": True}
    old = {**foreign, "recall_id": "019c1b6e-0000-7000-8000-000000000001"}
    unversioned = {**foreign, "recall_id": "6f1c1b6e-0000-4000-8000-000000000001"}

    for body in (old, unversioned):
        answer = await store.send("POST", "/v1/feedback", body)
        assert (answer.status_code, code_of(answer)) == (404, "recall-not-found")
    _, key = await new_tenant(store.client, "elsewhere")
    asked = {"name": "bob's", "scopes": ["write"], "user_id": "bob"}
    bound = (await store.send("POST", "/v1/keys", asked)).json()["key"]
    for other in (key, bound):
        answer = await store.client.post("/v1/feedback", json=foreign, headers=with_key(other))
        assert (answer.status_code, code_of(answer)) == (404, "recall-not-found")
    assert await store.count("votes") == 0


async def test_what_was_not_a_hit_cannot_be_voted_on(store: Store) -> None:
    stored = await store.remember(*SAID)
    recalled = await _asked(store, limit=1)
    others = [one["id"] for one in stored if one["id"] != recalled["hits"][0]["id"]]

    for memory_id in (others[0], str(new_id())):
        body = {"recall_id": recalled["recall_id"], "memory_id": memory_id, "useful": True}
        answer = await store.send("POST", "/v1/feedback", body)
        assert (answer.status_code, code_of(answer)) == (404, "memory-not-found")


@pytest.mark.parametrize("useful", [-0.1, 1.1, "yes", None])
async def test_usefulness_lies_between_none_and_all(store: Store, useful: Sent) -> None:
    body = {"recall_id": str(new_id()), "memory_id": str(new_id()), "useful": useful}

    answer = await store.send("POST", "/v1/feedback", body)

    assert answer.status_code == 422


async def test_a_recall_of_another_process_can_be_voted_on_at_once(store: Store) -> None:
    await store.remember(*SAID)
    async with twin(store) as other:
        recalled = await _asked(other)
        said = await _vote(store, recalled, 0, useful=True)

    assert said["status"] == "stored"


async def test_recalls_are_forgotten_after_a_while(store: Store) -> None:
    await store.remember(*SAID)
    recalled = await _asked(store)
    await _vote(store, recalled, 0, useful=True)

    async with store.database.transaction(tenant_id=store.tenant_id) as session:
        await service.forget_recalls(session, store.tenant_id, before=now() + timedelta(seconds=1))

    assert await store.count("recalls") == 0
    assert await store.count("votes") == 1


async def test_switched_off_votes_change_nothing_and_recalls_are_not_noted(store: Store) -> None:
    await store.remember(*SAID)
    before = await _asked(store)
    await _vote(store, before, 0, useful=False)
    await store.send("PUT", "/v1/users/alice/settings", {"mechanisms": {"feedback": False}})

    off = await _asked(store)
    body = {"recall_id": off["recall_id"], "memory_id": off["hits"][0]["id"], "useful": True}

    assert off["hits"] == before["hits"]
    assert (await store.send("POST", "/v1/feedback", body)).status_code == 404


async def test_an_erased_memory_takes_its_votes_along_and_an_owner_all(store: Store) -> None:
    await store.remember(*SAID)
    recalled = await _asked(store)
    await _vote(store, recalled, 0, useful=False)
    await _vote(store, recalled, 1, useful=False)

    await store.erase(recalled["hits"][0]["id"])
    assert await store.count("votes") == 1
    answer = await store.client.delete("/v1/users/alice")

    assert answer.json()["erased"]["votes"] == 1
    assert answer.json()["erased"]["recalls"] >= 1


async def test_an_owner_erased_meanwhile_gets_no_row(store: Store) -> None:
    await store.remember(*SAID)
    scope = await store.scope()
    await _asked(store)

    await store.client.delete("/v1/users/alice")
    await store.app.state.recall_log.flush()

    found = await store.rows(
        "SELECT count(*) FROM recalls WHERE owner_id = :owner_id", owner_id=scope.owner_id
    )
    assert found == [(0,)]
