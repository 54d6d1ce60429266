"""MemoryBank's probing questions that name a day: is the first hit of that day?"""

import re
from statistics import fmean

from scripts.bench import evidence
from scripts.bench.mechanisms import datasets
from scripts.bench.mechanisms.outcome import Bench, Outcome

_DAY = re.compile(r"\b(?:April|May)\s+\d{1,2}(?:st|nd|rd|th)?,?\s*")


def measure(bench: Bench) -> Outcome:
    """Ask with the day, by keywords alone, and with the day struck out of the question.

    To switch the reading of days off, the last way is taken for the first.
    """
    directory = bench.data / "memorybank"
    diaries = datasets.diaries(directory)
    asked = datasets.dated_questions(directory, diaries)
    for user in {one.user for one in asked}:
        bench.service.switch(_id(user), on=False)
        bench.service.store(_id(user), diaries[user])
    ways = {
        "named": [(one, one.text if bench.is_on else _without(one.text)) for one in asked],
        "struck": [(one, _without(one.text)) for one in asked],
    }
    share = {
        way: fmean(_is_hit(bench, one, text, "default") for one, text in texts)
        for way, texts in ways.items()
    }
    share["keywords"] = fmean(_is_hit(bench, one, one.text, "lexical") for one in asked)
    rows = [
        evidence.row(
            "day-hit@1", round(share["named"], 4), target="1.0",
            baseline=round(share["struck"], 4), holds=share["named"] == 1,
        ),
        evidence.row("day-hit@1 of recipe lexical", round(share["keywords"], 4)),
    ]  # fmt: skip
    notes = "Baseline: the same questions without the day."
    n = f"{len(asked)} questions of 15 users"
    return Outcome("Days (MemoryBank)", n, share["named"] == 1, rows, notes, share)


def _without(text: str) -> str:
    return _DAY.sub("", text) or text


def _id(user: str) -> str:
    return "bank-" + user.replace(" ", "-")


def _is_hit(bench: Bench, one: datasets.Dated, text: str, recipe: str) -> bool:
    hits = bench.service.recall(_id(one.user), text, limit=1, recipe=recipe)
    return bool(hits) and hits[0]["metadata"]["day"] == one.day
