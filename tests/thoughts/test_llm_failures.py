"""A model that goes away or babbles: nothing is lost, and what it answered is not asked again."""

import pytest

from app.jobs.errors import TaskError, TaskPostponedError
from app.llm.errors import LlmAnswerError, LlmRefusedError, LlmUnavailableError
from app.llm.fake import Scripted, ScriptedModel
from app.llm.protocol import Prompt
from tests.memories.helpers import Store
from tests.thoughts.helpers import enrich, run, said, table, texts

pytestmark = pytest.mark.pg

TURNS = 12
"""Turns of a prompt."""


async def test_a_model_that_is_away_is_waited_for_and_nothing_is_lost(store: Store) -> None:
    await store.remember(said(1, "I live in Berlin."))

    with pytest.raises(TaskPostponedError):
        await run(store, "thoughts.think", llm=ScriptedModel([LlmUnavailableError("away")]))
    await enrich(store)

    assert await texts(store) == {"Alice: I live in Berlin."}


async def test_a_babbling_model_fails_the_task_and_is_no_empty_success(store: Store) -> None:
    await store.remember(said(1, "I live in Berlin."))

    with pytest.raises(LlmAnswerError):
        await run(store, "thoughts.think", llm=ScriptedModel(["I would rather chat."]))
    await enrich(store)

    assert await texts(store) == {"Alice: I live in Berlin."}


def one_thought(prompt: Prompt) -> Scripted:
    """Think of the first turn of a prompt that it likes something."""
    thing = prompt.user.split("I like ")[1].split(".")[0]
    found = {"turn": 1, "text": f"Alice likes {thing}.", "head": "Alice", "relation": "likes",
             "tail": thing}  # fmt: skip
    return {"thoughts": [found]}


async def test_what_a_model_thought_before_it_went_away_is_kept(store: Store) -> None:
    await store.remember(*(said(n, f"I like dish{n}.") for n in range(2 * TURNS)))

    def answer(prompt: Prompt) -> Scripted:
        if any(f"dish{n}." in prompt.user for n in range(TURNS, 2 * TURNS)):
            msg = "away"
            raise LlmUnavailableError(msg)
        return one_thought(prompt)

    with pytest.raises(TaskPostponedError):
        await run(store, "thoughts.think", llm=ScriptedModel(answer))
    at_once = await texts(store)
    back = ScriptedModel(one_thought)
    await run(store, "thoughts.think", llm=back)

    assert at_once == {"Alice likes dish0."}
    assert await texts(store) == at_once | {f"Alice likes dish{TURNS}."}
    assert len(back.asked) == 1


async def test_what_a_model_made_of_one_bucket_before_it_went_away_is_kept(store: Store) -> None:
    await store.remember(*(said(n, f"I like dish{n}.") for n in range(6)))
    await run(store, "thoughts.think")
    scope = await store.scope()
    await store.rows(
        "UPDATE thoughts SET bucket = memory_ordinal % 2 WHERE owner_id = :owner_id",
        owner_id=scope.owner_id,
    )
    nothing: Scripted = {"forget": [], "merge": []}

    leaving = ScriptedModel([nothing, LlmUnavailableError("away")])

    with pytest.raises(TaskPostponedError):
        await run(store, "thoughts.organise", llm=leaving)
    organised = await table(store, "is_organised")
    back = ScriptedModel([nothing])
    await run(store, "thoughts.organise", llm=back)

    assert sum(row[0] for row in organised) == 3
    assert len(back.asked) == 1


@pytest.mark.parametrize("error", [LlmRefusedError("no"), LlmUnavailableError("too slow")])
async def test_a_bucket_that_fails_keeps_no_other_waiting(store: Store, error: Exception) -> None:
    await store.remember(*(said(n, f"I like dish{n}.") for n in range(6)))
    await run(store, "thoughts.think")
    scope = await store.scope()
    await store.rows(
        "UPDATE thoughts SET bucket = memory_ordinal % 3 WHERE owner_id = :owner_id",
        owner_id=scope.owner_id,
    )
    nothing: Scripted = {"forget": [], "merge": []}
    model = ScriptedModel([error, nothing, nothing])

    with pytest.raises((LlmRefusedError, TaskError)) as raised:
        await run(store, "thoughts.organise", llm=model)

    assert not isinstance(raised.value, TaskPostponedError), "it would never fail"
    assert len(model.asked) == 3
    assert sum(row[0] for row in await table(store, "is_organised")) == 4


async def test_a_model_that_is_away_for_two_buckets_is_away_for_all(store: Store) -> None:
    await store.remember(*(said(n, f"I like dish{n}.") for n in range(6)))
    await run(store, "thoughts.think")
    scope = await store.scope()
    await store.rows(
        "UPDATE thoughts SET bucket = memory_ordinal % 3 WHERE owner_id = :owner_id",
        owner_id=scope.owner_id,
    )
    model = ScriptedModel([LlmUnavailableError("away")] * 3)

    with pytest.raises(TaskPostponedError):
        await run(store, "thoughts.organise", llm=model)

    assert len(model.asked) == 2


async def test_a_model_is_not_asked_while_no_embedder_could_place_its_answer(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.remember(said(1, "I like tea."))
    monkeypatch.setattr(store.spaces, "_embedders", {})
    model = ScriptedModel(one_thought)

    with pytest.raises(TaskPostponedError):
        await run(store, "thoughts.think", llm=model)

    assert model.asked == []
