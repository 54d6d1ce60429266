"""A model that is away, or that fails for one memory: no other waits, nothing is asked twice."""

from dataclasses import replace

import pytest

from app.jobs.errors import TaskError, TaskPostponedError
from app.jobs.protocol import TaskRegistry
from app.kit.settings import LinkingSettings
from app.linking import tasks
from app.llm.errors import LlmAnswerError, LlmError, LlmUnavailableError
from app.llm.fake import Scripted, ScriptedModel
from app.llm.protocol import Prompt
from tests.linking.helpers import TASKS
from tests.memories.helpers import Store

pytestmark = pytest.mark.pg

SAID = tuple(f"matter{n} of the day{n}" for n in range(8))
BAD = "matter2"


def model(bad: str, error: LlmError, *, of: str = "linking.note") -> ScriptedModel:
    """Return a model that fails for questions about some memories."""

    def answer(prompt: Prompt) -> Scripted:
        new = prompt.user.partition("</source>")[0]
        if prompt.name == of and bad in new:
            return error
        if prompt.name == "linking.note":
            return {"keywords": ["matter"], "context": "A matter.", "tags": ["matters"]}
        return {
            "should_evolve": False,
            "actions": [],
            "suggested_connections": [],
            "tags_to_update": [],
            "new_context_neighborhood": [],
            "new_tags_neighborhood": [],
        }

    return ScriptedModel(answer)


async def attempt(
    store: Store, llm: ScriptedModel, name: str, number: int = 1, *, waited_s: float = 0.0
) -> Exception | None:
    """Run one task as a worker would, as the attempt of this number; return what it raised."""
    registry = TaskRegistry()
    tasks.register(registry, store.spaces, llm, LinkingSettings())
    context = replace(await store.task_context(), attempt=number, waited_s=waited_s)
    try:
        await registry.tasks[name](context)
    except (TaskError, LlmError) as error:
        return error
    return None


def asked(llm: ScriptedModel, words: str, name: str) -> int:
    return sum(
        prompt.name == name and words in prompt.user.partition("</source>")[0]
        for prompt in llm.asked
    )


@pytest.mark.parametrize("error", [LlmUnavailableError("too slow"), LlmAnswerError("babble")])
@pytest.mark.parametrize("name", TASKS)
async def test_one_memory_that_always_fails_fails_alone(
    store: Store, name: str, error: LlmError
) -> None:
    await store.remember(*SAID)
    prompt = "linking.note" if name == "linking.note" else "linking.evolution"
    llm = model(BAD, error, of=prompt)
    if name == "linking.link":
        assert await attempt(store, llm, "linking.note") is None

    failures = [await attempt(store, llm, name, number) for number in range(1, 6)]

    assert all(one and not isinstance(one, TaskPostponedError) for one in failures)
    assert asked(llm, BAD, prompt) == 5
    assert all(asked(llm, said, prompt) == 1 for said in SAID if BAD not in said)
    done = "SELECT count(*) FROM notes WHERE owner_id = :o AND (is_linked OR :is_note)"
    owner_id = (await store.scope()).owner_id
    assert await store.rows(done, o=owner_id, is_note=name == "linking.note") == [(7,)]
    good = model("nothing", error)
    assert await attempt(store, good, name) is None
    assert len(good.asked) == 1


async def test_a_model_that_is_away_for_two_memories_is_waited_for(store: Store) -> None:
    await store.remember(*SAID)
    llm = model("matter", LlmUnavailableError("away"))

    for _ in range(3):
        assert isinstance(await attempt(store, llm, "linking.note"), TaskPostponedError)

    assert len(llm.asked) == 6
    assert await store.count("notes") == 0
    assert await store.count("memory_changes") == 0


async def test_what_a_model_answered_before_it_went_away_is_not_asked_again(store: Store) -> None:
    await store.remember(*SAID)
    left = [True] * 5
    good = model("nothing", LlmUnavailableError("away"))

    def answer(prompt: Prompt) -> Scripted:
        away = LlmUnavailableError("away")
        return good._next(prompt) if left and left.pop() else away

    assert isinstance(
        await attempt(store, ScriptedModel(answer), "linking.note"), TaskPostponedError
    )
    noted = await store.count("notes")
    assert await attempt(store, good, "linking.note") is None

    assert noted == 5
    assert len(good.asked) == 3
    assert await store.count("notes") == 8


async def test_the_only_memory_left_is_waited_for_longer_and_longer(store: Store) -> None:
    await store.remember(SAID[0])
    llm = model("matter", LlmUnavailableError("away"))

    first = await attempt(store, llm, "linking.note")
    await store.rows("UPDATE memories SET updated_at = now() - interval '1 hour'")
    later = await attempt(store, llm, "linking.note")
    after_an_hour = await attempt(store, llm, "linking.note", waited_s=3_600)
    after_a_failure = await attempt(store, llm, "linking.note", 2)

    assert isinstance(first, TaskPostponedError)
    assert isinstance(later, TaskPostponedError)
    assert first.retry_in_s == 30
    assert later.retry_in_s == 600
    for one in (after_an_hour, after_a_failure):
        assert isinstance(one, TaskError)
        assert not isinstance(one, TaskPostponedError)
