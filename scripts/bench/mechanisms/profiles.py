"""Profiles and summaries: what a prompt of the same length holds with them, and without."""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import Any, NamedTuple

from scripts.bench import evidence
from scripts.bench.mechanisms import datasets
from scripts.bench.mechanisms.datasets import Question
from scripts.bench.mechanisms.figures import difference, recall_at
from scripts.bench.mechanisms.outcome import Bench, Outcome

_BROAD = (
    "What do you know about me?",
    "What do I like?",
    "What have we talked about?",
    "What kind of person am I?",
)
_BUDGET = 800
_CONVERSATIONS = 2
_TELLING = 10
_WORD = re.compile(r"[a-z]{4,}")


class Prompts(NamedTuple):
    """By question: the share of what is wanted that a prompt holds."""

    sources: list[float]
    """Of the days, or the gold turns, by the memories the prompt shows."""
    words: list[float]
    """Of the telling words of all days, by the prompt's text."""


def measure(bench: Bench) -> Outcome:
    """Compare prompts for broad questions by telling words, for narrow ones by evidence."""
    broad = _compare(bench, _diaries(bench))
    narrow = _compare(bench, _conversations(bench))
    words = difference(broad[0].words, broad[1].words)
    days = difference(broad[0].sources, broad[1].sources)
    gold = difference(narrow[0].sources, narrow[1].sources)
    rows = [
        evidence.row(
            f"telling words of all days in a prompt for a broad question: {words}",
            round(fmean(broad[1].words), 4), target="more than without a profile",
            baseline=round(fmean(broad[0].words), 4), holds=words.low > 0,
        ),
        evidence.row(
            f"days whose memories a prompt for a broad question shows: {days}",
            round(fmean(broad[1].sources), 4), baseline=round(fmean(broad[0].sources), 4),
        ),
        evidence.row(
            f"gold turns that a prompt for a narrow question shows: {gold}",
            round(fmean(narrow[1].sources), 4), target="≥ without - .02",
            baseline=round(fmean(narrow[0].sources), 4), holds=gold.mean >= -0.02,
        ),
    ]  # fmt: skip
    n = f"{len(broad[0].words)} broad questions of 15 users, {len(narrow[0].words)} narrow ones"
    notes = (
        f"Prompts of {_BUDGET} tokens by /v1/context, for a user with a profile and for one who "
        "said the same and has none. Telling words: of each day the ten of highest tf-idf."
    )
    raw = {"words": words, "days": days, "gold": gold}
    return Outcome("Profiles (Second Me, MemoryBank)", n, words.low > 0, rows, notes, raw)


Subject = tuple[str, list[dict[str, Any]], list[Question], str]
"""A user, what was said, what is asked, and the member of metadata that questions are about."""


def _diaries(bench: Bench) -> Iterator[Subject]:
    for user, items in datasets.diaries(bench.data / "memorybank").items():
        days = frozenset(item["metadata"]["day"] for item in items)
        asked = [Question(text, days, "broad") for text in _BROAD]
        yield user.replace(" ", "-"), items, asked, "day"


def _conversations(bench: Bench) -> Iterator[Subject]:
    held = datasets.conversations(bench.data / "locomo_dev.jsonl")[:_CONVERSATIONS]
    for one in held:
        yield one.name, one.items, one.questions, "doc"


def _compare(bench: Bench, subjects: Iterator[Subject]) -> tuple[Prompts, Prompts]:
    """Return what prompts hold for a user without a profile, and for one with it."""
    found = Prompts([], []), Prompts([], [])
    for user, items, asked, member in subjects:
        telling = _telling(items)
        for prompts, prefix, is_on in zip(found, ("bare", "life"), (False, bench.is_on),
                                          strict=True):  # fmt: skip
            name = f"{prefix}-{user}"
            bench.service.switch(name, on=is_on)
            ids = bench.service.store(name, items)
            if is_on:
                bench.service.organise(name, ids[0])
            about = {one: item["metadata"][member] for one, item in zip(ids, items, strict=True)}
            for question in asked:
                told = _prompt(bench, name, question.text)
                shown = [about[one] for part in told["sections"] for one in part["memory_ids"]
                         if one in about]  # fmt: skip
                prompts.sources.append(recall_at(len(shown), shown, question.gold))
                prompts.words.append(len(telling & set(_words(told["text"]))) / len(telling))
    return found


def _prompt(bench: Bench, user: str, text: str) -> dict[str, Any]:
    body = {"query": text, "user_id": user, "max_tokens": _BUDGET, "reinforce": False}
    return dict(bench.service.call("POST", "/v1/context", body))


def _telling(items: Sequence[dict[str, Any]]) -> set[str]:
    """Return of each session what its people's words tell from those of the others."""
    said: dict[str, Counter[str]] = {}
    for item in items:
        if item["role"] == "user":
            said.setdefault(item["session_id"], Counter()).update(_words(item["content"]))
    spread = Counter(word for words in said.values() for word in words)
    return {
        word
        for words in said.values()
        for word in sorted(words, key=lambda one: (-_weight(words, spread, len(said), one), one))[
            :_TELLING
        ]
    }


def _weight(words: Counter[str], spread: Counter[str], sessions: int, word: str) -> float:
    return words[word] * math.log(sessions / spread[word])


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())
