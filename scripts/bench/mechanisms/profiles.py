"""Profiles and summaries: what a prompt of the same length holds with them, and without."""

from collections.abc import Iterator, Mapping
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
_BUDGET = 800
_CONVERSATIONS = 2


def measure(bench: Bench) -> Outcome:
    """Compare prompts for broad questions by days, and for narrow ones by evidence."""
    broad = _compare(bench, _diaries(bench))
    narrow = _compare(bench, _conversations(bench))
    days, gold = difference(*broad), difference(*narrow)
    rows = [
        evidence.row(
            f"days that a prompt for a broad question stands on: {days}",
            round(fmean(broad[1]), 4), target="more than without a profile",
            baseline=round(fmean(broad[0]), 4), holds=days.low > 0,
        ),
        evidence.row(
            f"gold turns that a prompt for a narrow question stands on: {gold}",
            round(fmean(narrow[1]), 4), target="≥ without - .02",
            baseline=round(fmean(narrow[0]), 4), holds=gold.mean >= -0.02,
        ),
    ]  # fmt: skip
    n = f"{len(broad[0])} broad questions of 15 users, {len(narrow[0])} narrow ones"
    notes = f"Prompts of {_BUDGET} tokens by /v1/context, the same with and without a profile."
    raw = {"days": days, "gold": gold}
    return Outcome("Profiles (Second Me, MemoryBank)", n, days.low > 0, rows, notes, raw)


Subject = tuple[str, list[dict[str, Any]], list[Question], str]
"""A user, what was said, what is asked, and the member of metadata that questions are about."""


def _diaries(bench: Bench) -> Iterator[Subject]:
    for user, items in datasets.diaries(bench.data / "memorybank").items():
        days = frozenset(item["metadata"]["day"] for item in items)
        asked = [Question(text, days, "broad") for text in _BROAD]
        yield "life-" + user.replace(" ", "-"), items, asked, "day"


def _conversations(bench: Bench) -> Iterator[Subject]:
    held = datasets.conversations(bench.data / "locomo_dev.jsonl")[:_CONVERSATIONS]
    for one in held:
        yield f"life-{one.name}", one.items, one.questions, "doc"


def _compare(bench: Bench, subjects: Iterator[Subject]) -> tuple[list[float], list[float]]:
    """Return by question the share that the prompt stands on, without a profile and with it."""
    without: list[float] = []
    with_: list[float] = []
    for user, items, asked, member in subjects:
        bench.service.switch(user, on=False)
        ids = bench.service.store(user, items)
        about = {one: item["metadata"][member] for one, item in zip(ids, items, strict=True)}
        without += [_share(bench, user, question, about) for question in asked]
        bench.service.switch(user, on=bench.is_on)
        bench.service.organise(user, ids[0])
        with_ += [_share(bench, user, question, about) for question in asked]
    return without, with_


def _share(bench: Bench, user: str, question: Question, about: Mapping[str, str]) -> float:
    body = {
        "query": question.text,
        "user_id": user,
        "max_tokens": _BUDGET,
        "reinforce": False,
    }
    sections = bench.service.call("POST", "/v1/context", body)["sections"]
    found = [about[one] for section in sections for one in section["memory_ids"] if one in about]
    return recall_at(len(found), found, question.gold)
