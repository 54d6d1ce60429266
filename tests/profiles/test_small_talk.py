"""Small talk is no side of a person: it counts for no shade, and recall finds it all the same."""

import pytest

from tests.memories.helpers import Json, Store
from tests.profiles.helpers import enrich, profile, said, texts, topics

pytestmark = pytest.mark.pg

ENGLISH = (
    "Hey, how are you?",
    "Hi Anna! How are you today?",
    "Hey! How are you doing?",
    "Hello, how are you? Nice to hear from you!",
    "Thanks, Anna! Take care!",
    "Bye Anna! See you soon!",
)
GERMAN = (
    "Hallo, wie geht es dir?",
    "Hey, wie geht es dir heute?",
    "Mir geht es gut, danke. Und dir?",
    "Hallo! Na, wie geht's?",
    "Vielen Dank, bis bald!",
    "Guten Morgen, alles klar bei dir?",
)
FACTS = (
    "I am vegan.",
    "I have a dog.",
    "Hello, I adopted a cat.",
    "Thanks! The violin is in tune.",
)
GERMAN_FACTS = ("Ich bin Veganer.", "Hallo, ich habe mir ein Fahrrad gekauft.")


async def _counted(store: Store) -> list[str]:
    """Return what counts for the profile."""
    scope = await store.scope()
    rows = await store.rows(
        "SELECT content FROM shade_members s JOIN memories m ON m.owner_id = s.owner_id "
        "AND m.ordinal = s.memory_ordinal WHERE s.owner_id = :o ORDER BY ordinal",
        o=scope.owner_id,
    )
    return [row[0] for row in rows]


def _on_a_day(said_texts: tuple[str, ...]) -> list[Json]:
    return [said("2026-03-15", text, hour) for hour, text in enumerate(said_texts)]


@pytest.mark.parametrize(
    ("language", "small", "facts"), [("en", ENGLISH, FACTS), ("de", GERMAN, GERMAN_FACTS)]
)
async def test_what_says_something_counts_and_small_talk_does_not(
    store: Store, language: str, small: tuple[str, ...], facts: tuple[str, ...]
) -> None:
    await store.send("PUT", "/v1/users/alice/settings", {"language": language})
    await store.remember(*_on_a_day((*small, *facts)))

    await enrich(store)

    assert await _counted(store) == list(facts)


async def test_no_shade_is_made_of_greetings(store: Store) -> None:
    await store.remember(*topics(), *_on_a_day(ENGLISH))

    await enrich(store)

    named = texts(await profile(store))
    assert "garden" in named
    assert "hey" not in named
    assert "how are you" not in str((await profile(store))["shades"]).lower()
    found = await store.recall("Hey, how are you?")
    assert found["hits"][0]["content"] == "Hey, how are you?"
