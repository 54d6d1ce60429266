"""With a language model: its answers are stored, held to their sources, and shown as its own."""

import pytest

from app.jobs.errors import TaskError, TaskPostponedError
from app.llm.errors import LlmAnswerError, LlmError, LlmRefusedError, LlmUnavailableError
from app.llm.fake import Scripted, ScriptedModel
from app.llm.protocol import Prompt
from tests.memories.helpers import Json, Store
from tests.profiles.helpers import (
    GARDEN,
    VIOLIN,
    enrich,
    profile,
    run,
    said,
    summaries,
    texts,
    topics,
)

pytestmark = pytest.mark.pg


class Scribe:
    """Answers every question about a profile; ``changes`` replaces answers by prompt's name."""

    def __init__(self, **changes: Scripted) -> None:
        self.changes = changes
        self.model = ScriptedModel(self.answer, model="scribe")

    def answer(self, prompt: Prompt) -> Scripted:
        kind = prompt.name.removeprefix("profiles.")
        return self.changes.get(kind) or getattr(self, f"_{kind}")(prompt)

    def asked(self, kind: str) -> list[Prompt]:
        return [one for one in self.model.asked if one.name == f"profiles.{kind}"]

    def _day_summary(self, _: Prompt) -> Scripted:
        return {"lines": [{"text": "Something about the day.", "sources": [1]}]}

    def _day_portrait(self, _: Prompt) -> Scripted:
        return {"traits": "Patient.", "mood": "calm.", "strategy": "Be brief."}

    def _summary(self, _: Prompt) -> Scripted:
        return {"lines": [{"text": "The core of it all.", "sources": [1, 2]}]}

    def _portrait(self, _: Prompt) -> Scripted:
        return {"traits": "Patient as ever.", "mood": "Calm.", "strategy": "Stay brief."}

    def _shade(self, prompt: Prompt) -> Scripted:
        topic = "tomatoes" if "tomatoes" in prompt.user else "violin"
        return {
            "name": topic,
            "aspect": f"{topic} lover",
            "icon": "*",
            "description": f"This is about {topic}.",
            "content": f"It says much of {topic}.",
            "description_second_person": f"This is about your {topic}.",
            "content_second_person": f"It says much of your {topic}.",
        }

    _improved_shade = _shade
    _merged_shade = _shade

    def _merges(self, _: Prompt) -> Scripted:
        return {"groups": []}

    def _biography(self, _: Prompt) -> Scripted:
        return {"third_person": "They love tomatoes.", "second_person": "You love tomatoes."}


async def _enrich(store: Store, scribe: Scribe) -> None:
    await enrich(store, llm=scribe.model)


async def test_its_words_are_stored_and_named(store: Store) -> None:
    scribe = Scribe()
    stored = await store.remember(*topics())

    await _enrich(store, scribe)

    found = await profile(store)
    names = {shade["name"]: shade for shade in found["shades"]}
    assert set(names) == {"tomatoes", "violin"}
    garden = names["tomatoes"]
    assert (garden["aspect"], garden["icon"]) == ("tomatoes lover", "*")
    assert garden["content_second_person"] == "It says much of your tomatoes."
    assert garden["generated_by"] == "llm:scribe"
    assert set(garden["source_ids"]) <= {one["id"] for one in stored}
    assert found["biography"] == {
        "third_person": "They love tomatoes.",
        "second_person": "You love tomatoes.",
        "generated_by": "llm:scribe",
        "is_current": True,
    }
    assert [line["text"] for line in found["summary"]] == ["The core of it all."]
    portrait = found["portrait"]
    assert portrait["traits"] == "Patient as ever."
    assert portrait["generated_by"] == "llm:scribe"
    day = (await summaries(store))[0]
    assert day["lines"][0]["text"] == "Something about the day."
    assert day["lines"][0]["source_ids"] == [stored[0]["id"]]
    assert (day["generated_by"], day["portrait"]["traits"]) == ("llm:scribe", "Patient.")


async def test_it_is_shown_the_true_sources_and_nothing_else(store: Store) -> None:
    scribe = Scribe()
    await store.remember(*topics())

    await _enrich(store, scribe)

    shades = [prompt.user for prompt in scribe.asked("shade")]
    assert len(shades) == 2
    for text in shades:
        own, other = (GARDEN, VIOLIN) if "tomatoes" in text else (VIOLIN, GARDEN)
        assert any(sentence in text for sentence in own)
        assert not any(sentence in text for sentence in other)
    (biography,) = scribe.asked("biography")
    for shade in (await profile(store))["shades"]:
        assert f"{shade['name']} ({shade['size']} memories" in biography.user
    first = scribe.asked("day_summary")[0]
    assert GARDEN[0] in first.user
    assert "2026-03-01" in first.user


async def test_the_biography_is_asked_anew_when_a_shade_changes_and_only_then(
    store: Store,
) -> None:
    scribe = Scribe()
    await store.remember(*topics())
    await _enrich(store, scribe)
    await store.send("POST", "/v1/users/alice/profile:refresh", {})
    await _enrich(store, scribe)
    assert len(scribe.asked("biography")) == 1

    scribe.changes["biography"] = {"third_person": "Plays violin.", "second_person": "You play."}
    await store.remember(*(said("2026-03-20", f"My violin, my violin {i}.") for i in range(5)))
    await _enrich(store, scribe)

    assert len(scribe.asked("biography")) == 2
    assert (await profile(store))["biography"]["third_person"] == "Plays violin."


async def test_new_memories_improve_what_was_said_before(store: Store) -> None:
    scribe = Scribe()
    await store.remember(*topics())
    await _enrich(store, scribe)

    await store.remember(*(said("2026-03-20", f"My violin, my violin {i}.") for i in range(5)))
    await _enrich(store, scribe)

    (improved,) = scribe.asked("improved_shade")
    assert "violin (violin lover): This is about violin." in improved.user
    assert "My violin, my violin" in improved.user


async def test_shades_it_holds_to_be_one_are_merged(store: Store) -> None:
    scribe = Scribe()
    await store.remember(*topics())
    await _enrich(store, scribe)
    before = (await profile(store))["shades"]

    scribe.changes["merges"] = {"groups": [[1, 2, 99], [2]]}
    await store.remember(said("2026-03-20", "The garden is full of tomatoes."))
    await _enrich(store, scribe)

    (merged,) = (await profile(store))["shades"]
    assert merged["id"] in {one["id"] for one in before}
    assert merged["merged_from"] == [one["id"] for one in before if one["id"] != merged["id"]]
    assert merged["size"] >= 8
    (asked,) = scribe.asked("merged_shade")
    assert "This is about tomatoes." in asked.user
    assert "This is about violin." in asked.user


async def test_what_no_source_bears_out_is_not_kept(store: Store) -> None:
    scribe = Scribe(
        biography={
            "third_person": "They love tomatoes. They won 7000 euros in Bogota.",
            "second_person": "You love tomatoes. You met Napoleon.",
        },
        day_summary={"lines": [{"text": "On that day Napoleon came.", "sources": [1]}]},
    )
    await store.remember(*topics())

    await _enrich(store, scribe)

    biography = (await profile(store))["biography"]
    assert biography["third_person"] == "They love tomatoes."
    assert biography["second_person"] == "You love tomatoes."
    day = (await summaries(store))[0]
    assert day["generated_by"] == "deterministic:extract"
    assert "garden" in day["lines"][0]["text"]


async def test_its_text_goes_when_a_source_is_erased(store: Store) -> None:
    scribe = Scribe()
    stored = await store.remember(*topics())
    await _enrich(store, scribe)
    by_name: dict[str, Json] = {one["name"]: one for one in (await profile(store))["shades"]}

    await store.erase(by_name["violin"]["source_ids"][0])

    left = await profile(store)
    kept = {one["id"]: one["generated_by"] for one in left["shades"]}
    assert kept[by_name["violin"]["id"]] == "deterministic:c-tf-idf"
    assert kept[by_name["tomatoes"]["id"]] == "llm:scribe"
    assert left["biography"]["generated_by"] == "deterministic:shades"
    assert len(stored) == 9


async def test_a_model_that_is_away_is_waited_for(store: Store) -> None:
    scribe = Scribe(day_summary=LlmUnavailableError("away"))
    await store.remember(*topics())

    with pytest.raises(TaskPostponedError):
        await run(store, "profiles.summarise", llm=scribe.model)

    assert await summaries(store) == []


async def test_a_babbling_model_fails_the_task_and_loses_nothing(store: Store) -> None:
    scribe = Scribe(shade="no idea", day_summary="blah")
    await store.remember(*topics())

    for task in ("profiles.summarise", "profiles.refresh"):
        with pytest.raises(LlmAnswerError):
            await run(store, task, llm=scribe.model)
    await enrich(store)

    found = await profile(store)
    assert {one["generated_by"] for one in found["shades"]} == {"deterministic:c-tf-idf"}
    assert await store.count("memories") == 9


@pytest.mark.parametrize("error", [LlmRefusedError("no"), LlmUnavailableError("too slow")])
async def test_a_day_that_fails_keeps_no_later_one_waiting(store: Store, error: Exception) -> None:
    await store.remember(*topics())
    scribe = Scribe()

    def answer(prompt: Prompt) -> Scripted:
        is_second = "2026-03-02" in prompt.user and prompt.name == "profiles.day_summary"
        return error if is_second else scribe.answer(prompt)

    with pytest.raises((LlmRefusedError, TaskError)) as raised:
        await run(store, "profiles.summarise", llm=ScriptedModel(answer))
    done = [day["day"] for day in await summaries(store)]
    scribe.model.asked.clear()
    await run(store, "profiles.summarise", llm=scribe.model)

    assert not isinstance(raised.value, TaskPostponedError), "it would never fail"
    assert len(done) == len(GARDEN) + len(VIOLIN) - 1
    assert "2026-03-02" not in done
    assert len(scribe.asked("day_summary")) == 1
    assert len(await summaries(store)) == len(GARDEN) + len(VIOLIN)


async def test_a_day_that_fails_is_left_alone_for_an_hour(store: Store) -> None:
    await store.remember(*topics())
    scribe = Scribe()

    def answer(prompt: Prompt) -> Scripted:
        is_second = "2026-03-02" in prompt.user and prompt.name == "profiles.day_summary"
        return LlmRefusedError("no") if is_second else scribe.answer(prompt)

    with pytest.raises(LlmRefusedError):
        await run(store, "profiles.summarise", llm=ScriptedModel(answer))

    rows = await store.rows(
        "SELECT next_close_at > now() + interval '50 minutes' FROM profile_states "
        "WHERE owner_id = :owner_id",
        owner_id=(await store.scope()).owner_id,
    )
    assert rows == [(True,)]


async def test_a_shade_that_fails_keeps_no_other_waiting(store: Store) -> None:
    await store.remember(*topics())
    scribe = Scribe()

    def answer(prompt: Prompt) -> Scripted:
        is_violin = prompt.name == "profiles.shade" and "tomatoes" not in prompt.user
        return LlmRefusedError("no") if is_violin else scribe.answer(prompt)

    with pytest.raises(LlmRefusedError):
        await enrich(store, llm=ScriptedModel(answer))
    before = texts(await profile(store))
    scribe.model.asked.clear()
    await enrich(store, llm=scribe.model)

    assert before == "tomatoes"
    assert {shade["name"] for shade in (await profile(store))["shades"]} == {"tomatoes", "violin"}
    assert len(scribe.asked("shade")) == 1


@pytest.mark.parametrize("error", [LlmRefusedError("no"), LlmUnavailableError("away")])
async def test_a_biography_that_fails_keeps_nothing_else_and_the_old_one_says_so(
    store: Store, error: LlmError
) -> None:
    await store.remember(*topics())
    scribe = Scribe()
    await _enrich(store, scribe)
    await store.remember(*(said("2026-03-20", f"My violin, my violin {i}.") for i in range(5)))

    scribe.changes["biography"] = error
    for _ in range(2):
        with pytest.raises((LlmRefusedError, TaskError)):
            await run(store, "profiles.refresh", llm=scribe.model)
    failed = await profile(store)
    del scribe.changes["biography"]
    await run(store, "profiles.refresh", llm=scribe.model)
    mended = await profile(store)

    assert failed["version"] == 2
    assert {one["name"]: one["size"] for one in failed["shades"]}["violin"] == 9
    assert failed["biography"]["third_person"] == "They love tomatoes."
    assert (failed["biography"]["is_current"], mended["biography"]["is_current"]) == (False, True)


async def test_an_old_biography_does_not_outlive_what_it_says(store: Store) -> None:
    stored = await store.remember(*topics())
    scribe = Scribe()
    await _enrich(store, scribe)
    await store.edit(stored[0]["id"], content="I planted beans in the garden, no tomatoes.")

    scribe.changes["biography"] = LlmRefusedError("no")
    await store.send("POST", "/v1/users/alice/profile:refresh", {})
    with pytest.raises(LlmRefusedError):
        await _enrich(store, scribe)

    biography = (await profile(store))["biography"]
    assert (biography["generated_by"], biography["is_current"]) == ("deterministic:shades", True)
    assert "They love" not in biography["third_person"]
