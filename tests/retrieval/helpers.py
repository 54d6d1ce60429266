"""Random stores and questions, and settings for one path or another."""

import random

from app.kit.settings import RetrievalSettings
from app.retrieval.service import Recaller
from tests.memories.helpers import Json, Store, at

WORDS = [
    "cat",
    "dog",
    "bird",
    "garden",
    "river",
    "mountain",
    "music",
    "guitar",
    "piano",
    "kitchen",
    "bread",
    "coffee",
    "winter",
    "summer",
    "holiday",
    "train",
    "bicycle",
    "doctor",
    "school",
    "teacher",
    "birthday",
    "sister",
    "brother",
    "cousin",
    "wedding",
    "novel",
    "painting",
    "museum",
    "football",
    "tennis",
    "swimming",
    "rain",
    "snow",
    "market",
    "apple",
    "banana",
    "hospital",
    "office",
    "meeting",
    "deadline",
    "report",
    "phone",
    "laptop",
    "camera",
    "ticket",
    "passport",
    "beach",
    "island",
    "forest",
    "candle",
    "window",
    "carpet",
    "garage",
    "engine",
    "bridge",
    "castle",
    "village",
    "harbour",
    "festival",
    "concert",
    "theatre",
    "lesson",
    "exam",
    "prize",
]


def sentence(generator: random.Random, low: int = 3, high: int = 12) -> str:
    """Return random words; common ones are more frequent than rare ones."""
    length = generator.randint(low, high)
    picks = [WORDS[min(int(generator.expovariate(0.06)), len(WORDS) - 1)] for _ in range(length)]
    return " ".join(picks).capitalize() + "."


def random_items(generator: random.Random, number: int) -> list[Json]:
    """Return random items: two sessions and none, some speakers, some long, some alike."""
    items: list[Json] = []
    for index in range(number):
        said: Json = {"content": sentence(generator), "occurred_at": at(index)}
        if generator.random() < 0.06:
            said["content"] = " ".join(sentence(generator, 8, 12) for _ in range(25))
        if items and generator.random() < 0.1:
            said["content"] = generator.choice(items)["content"]
        if generator.random() < 0.5:
            said["name"] = generator.choice(["Alice", "Bob"])
        if generator.random() < 0.7:
            said["session_id"] = generator.choice(["s1", "s2"])
        items.append(said)
    return items


def recalls_with(store: Store, **settings: float) -> None:
    """Let the api recall with other settings from now on."""
    store.app.state.recaller = Recaller(
        store.database, store.spaces, RetrievalSettings.model_validate(settings), timeout_s=5
    )
