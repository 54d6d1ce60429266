"""Profiles and summaries: what a prompt of the same length holds with them, and without."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import Any

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
_ALSO_BROAD = (
    "Tell me about myself.",
    "What are my hobbies and interests?",
    "What should you know about me before helping me?",
    "How would you describe my personality?",
)
_BUDGET = 800
_CONVERSATIONS = 2
_TELLING = 10
_WORD = re.compile(r"[a-z]{4,}")


class Prompts:
    """By question, broad or narrow: the share of what is wanted that a prompt holds."""

    def __init__(self) -> None:
        self.sources: dict[str, list[float]] = defaultdict(list)
        """Of the days, or the gold turns, by the memories the prompt shows."""
        self.words: dict[str, list[float]] = defaultdict(list)
        """Of the telling words of all days, by the prompt's text."""


def measure(bench: Bench) -> Outcome:
    """Compare prompts for broad questions by telling words, for narrow ones by evidence."""
    diaries = _compare(bench, _diaries(bench))
    talks = _compare(bench, _conversations(bench, "locomo_dev.jsonl", _ALSO_BROAD))
    chats = _compare(bench, _conversations(bench, "beam_dev.jsonl", ()))
    words = difference(*(one.words["broad"] for one in diaries))
    rows = [
        _words_row(diaries, "a broad question"),
        _sources_row(diaries, "broad", "days whose memories a prompt for a broad question shows"),
        _words_row(talks, "another broad question, LoCoMo"),
        _sources_row(talks, "narrow", "gold turns that a prompt for a narrow question shows"),
        _sources_row(chats, "narrow", "gold turns for a narrow question, BEAM"),
    ]
    count = {
        name: len(found.sources[kind])
        for name, (found, _), kind in (
            ("diaries", diaries, "broad"),
            ("others", talks, "broad"),
            ("LoCoMo", talks, "narrow"),
            ("BEAM", chats, "narrow"),
        )
    }
    n = (
        f"{count['diaries']} broad questions of 15 users and {count['others']} others, "
        f"{count['LoCoMo']} narrow ones of LoCoMo, {count['BEAM']} of BEAM"
    )
    notes = (
        f"Prompts of {_BUDGET} tokens by /v1/context, for a user with a profile and for one who "
        "said the same and has none. Telling words: of each day the ten of highest tf-idf. The "
        "rule that tells broad from narrow was made knowing how many content words the questions "
        "of LoCoMo and BEAM have. Of 2,655 questions of Natural Questions, not looked at before, "
        "it would give 16 the full share of profile and 305 half of it; a user's broad questions "
        "were written by us."
    )
    raw = {"words": words, "counts": count}
    return Outcome("Profiles (Second Me, MemoryBank)", n, words.low > 0, rows, notes, raw)


Pair = tuple["Prompts", "Prompts"]
"""Without a profile, and with it."""


def _words_row(pair: Pair, of_what: str) -> dict[str, Any]:
    before, after = (one.words["broad"] for one in pair)
    found = difference(before, after)
    return evidence.row(
        f"telling words of all days in a prompt for {of_what}: {found}",
        round(fmean(after), 4), target="more than without a profile",
        baseline=round(fmean(before), 4), holds=found.low > 0,
    )  # fmt: skip


def _sources_row(pair: Pair, kind: str, figure: str) -> dict[str, Any]:
    before, after = (one.sources[kind] for one in pair)
    found, baseline = difference(before, after), round(fmean(before), 4)
    value = round(fmean(after), 4)
    if kind == "broad":
        return evidence.row(f"{figure}: {found}", value, baseline=baseline)
    return evidence.row(
        f"{figure}: {found}", value, target="≥ without - .005",
        baseline=baseline, holds=found.mean >= -0.005,
    )  # fmt: skip


Subject = tuple[str, list[dict[str, Any]], list[Question], str]
"""A user, what was said, what is asked, and the member of metadata that questions are about."""


def _diaries(bench: Bench) -> Iterator[Subject]:
    for user, items in datasets.diaries(bench.data / "memorybank").items():
        days = frozenset(item["metadata"]["day"] for item in items)
        asked = [Question(text, days, "broad") for text in _BROAD]
        yield user.replace(" ", "-"), items, asked, "day"


def _conversations(bench: Bench, file: str, broad: Sequence[str]) -> Iterator[Subject]:
    held = datasets.conversations(bench.data / file)[:_CONVERSATIONS]
    for one in held:
        every = frozenset(item["metadata"]["doc"] for item in one.items)
        asked = [question._replace(category="narrow") for question in one.questions]
        asked += [Question(text, every, "broad") for text in broad]
        yield f"{file[:4]}-{one.name}", one.items, asked, "doc"


def _compare(bench: Bench, subjects: Iterator[Subject]) -> tuple[Prompts, Prompts]:
    """Return what prompts hold for a user without a profile, and for one with it."""
    found = Prompts(), Prompts()
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
                sources = recall_at(len(shown), shown, question.gold)
                prompts.sources[question.category].append(sources)
                words = len(telling & set(_words(told["text"]))) / len(telling)
                prompts.words[question.category].append(words)
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
