"""Think-in-Memory: contradictions closed, duplicates found, buckets probed, evidence recalled."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from statistics import fmean
from typing import Any

from scripts.bench import evidence
from scripts.bench.mechanisms import datasets
from scripts.bench.mechanisms.figures import difference, recall_at
from scripts.bench.mechanisms.outcome import Bench, Outcome
from scripts.bench.mechanisms.planted import COMPATIBLE, CONTRADICTED, Pair
from scripts.bench.mechanisms.service import Service

_USER = "planted"
_START = datetime(2026, 1, 5, 12, tzinfo=UTC)
_PEOPLE = [
    first + second
    for first, second in product(("Al", "Bo", "Ce", "Da", "Em", "Fi"), ("ra", "vin", "lo", "mia"))
]
_MOVES = (("live", "in", "Lisbon", "Oslo"), ("work", "at", "the library", "the harbour"))
_LIKES = "sushi chess rowing opera gardening pottery".split()
_K = 10
_PROBES = (1, 3, 6, 12, 16)
_ALL = 16
_CONVERSATIONS = 2


def measure(bench: Bench) -> Outcome:
    """Plant contradictions and duplicates; probe buckets and recall evidence on LoCoMo."""
    service = bench.service
    service.switch(_USER, on=bench.is_on)
    service.store(_USER, _planted())
    current, plain = _current(service)
    closed = _closed(service)
    found, kept = _duplicates(service)
    held_out, wrongly = _changes(bench, CONTRADICTED), _changes(bench, COMPATIBLE)
    probes, recipe, n = _locomo(bench)
    gain = difference(recipe["default"], recipe["thoughts"])
    newest = difference(plain, current)
    rows = [
        evidence.row(
            f"what holds now comes first in thoughts:recall; baseline: in recall: {newest}",
            round(fmean(current), 4), target="more than in recall",
            baseline=round(fmean(plain), 4), holds=newest.low > 0,
        ),
        evidence.row("planted contradictions closed", closed, target="≥ .9", baseline=0,
                     holds=closed >= 0.9),
        evidence.row(f"{len(CONTRADICTED)} contradictions in other words closed", held_out,
                     target="≥ .7", baseline=0, holds=held_out >= 0.7),
        evidence.row(f"{len(COMPATIBLE)} pairs of which both hold: closed", wrongly,
                     target="≤ .1", baseline=0, holds=wrongly <= 0.1),
        evidence.row("planted duplicates found (those that share a bucket)", found,
                     target="more than without", baseline=0, holds=found > 0),
        evidence.row("different statements kept apart", kept, target="1.0", holds=kept == 1),
        *(evidence.row(f"nearest 10 thoughts found by {count} probes of 16", share)
          for count, share in probes.items()),
        evidence.row(
            f"recall@5 of recipe thoughts: {gain}", round(fmean(recipe["thoughts"]), 4),
            target="≥ default - .01", baseline=round(fmean(recipe["default"]), 4),
            holds=gain.mean >= -0.01,
        ),
    ]  # fmt: skip
    works = newest.low > 0 and closed >= 0.9 and held_out >= 0.7 and found > 0 and kept == 1
    notes = (
        "The organiser looks into one bucket at a time, as the paper has it: two thoughts in "
        "different buckets are never compared. What holds for one tail at a time (lives in, works "
        "at) lies in a bucket of its head and relation, so that older and newer meet; duplicates "
        "of other relations meet if they share a bucket. Who wrote the contradictions in other "
        "words wrote the rules, too, after them. 6 probes are the default of thoughts:recall."
    )
    planted = 2 * len(_PEOPLE) + len(CONTRADICTED)
    asked = f"{planted} planted contradictions, {len(_PEOPLE)} duplicates, {n} questions"
    return Outcome("Thoughts (Think-in-Memory)", asked, works, rows, notes, {"probes": probes})


def _planted() -> list[dict[str, Any]]:
    """Return what each person said, a day apart: two changes, and one thing twice."""
    items = []
    for number, name in enumerate(_PEOPLE):
        like = _LIKES[number % len(_LIKES)]
        other = _LIKES[(number + 1) % len(_LIKES)]
        said = [f"I {verb} {place} {old}." for verb, place, old, _ in _MOVES]
        said += [f"I love {like}.", f"I love {other}."]
        said += [f"I {verb} {place} {new} now." for verb, place, _, new in _MOVES]
        said += [f"I really love {like}!"]
        items += [
            {
                "content": text,
                "role": "user",
                "name": name,
                "session_id": f"{name}-{day}",
                "occurred_at": (_START + timedelta(days=day, minutes=number)).isoformat(),
            }
            for day, text in enumerate(said)
        ]
    return items


def _current(service: Service) -> tuple[list[float], list[float]]:
    """Return by question whether the first answer is what holds now: of thoughts, and of recall."""
    by_thought: list[float] = []
    by_recall: list[float] = []
    for name, (verb, place, _, new) in product(_PEOPLE, _MOVES):
        query = f"Where does {name} {verb}?"
        thoughts = _thoughts(service, _USER, query, limit=1)
        by_thought.append(bool(thoughts) and _says(thoughts[0]["text"], name, place, new))
        hits = service.recall(_USER, query, limit=1)
        by_recall.append(bool(hits) and hits[0]["name"] == name and new in hits[0]["content"])
    return by_thought, by_recall


def _closed(service: Service) -> float:
    """Return the share of outdated statements that no longer hold."""
    ended = []
    for name in _PEOPLE:
        path = f"/v1/users/{_USER}/thoughts?head={name}&limit=100&include=forgotten"
        held = service.call("GET", path)["items"]
        for _, place, old, _ in _MOVES:
            outdated = [one for one in held if f"{place} {old}" in one["text"]]
            ended.append(bool(outdated) and all(one["valid_to"] for one in outdated))
    return round(fmean(ended), 4)


def _changes(bench: Bench, pairs: Sequence[Pair]) -> float:
    """Return the share of pairs, one of each person, of which the older no longer holds."""
    user = f"pairs-{len(pairs)}"
    bench.service.switch(user, on=bench.is_on)
    names = [f"{name}{letter}" for letter, name in product("nst", _PEOPLE)][: len(pairs)]
    items = [
        {
            "content": text,
            "role": "user",
            "name": name,
            "session_id": f"{name}-{day}",
            "occurred_at": (_START + timedelta(days=day, minutes=number)).isoformat(),
        }
        for number, (name, pair) in enumerate(zip(names, pairs, strict=True))
        for day, text in enumerate(pair)
    ]
    bench.service.store(user, items)
    path = f"/v1/users/{user}/thoughts?limit=200&include=forgotten"
    held = bench.service.call("GET", path)["items"]
    ended = []
    for name, pair in zip(names, pairs, strict=True):
        older = [one for one in held if one["text"] == f"{name}: {pair.older}"]
        ended.append(bool(older) and all(one["valid_to"] for one in older))
    return round(fmean(ended), 4)


def _says(text: str, name: str, place: str, new: str) -> bool:
    return name in text and f"{place} {new}" in text


def _duplicates(service: Service) -> tuple[float, float]:
    """Return the share of duplicates that became one thought, and of others that stayed."""
    once, apart = [], []
    for number, name in enumerate(_PEOPLE):
        path = f"/v1/users/{_USER}/thoughts?head={name}&limit=100"
        texts = [one["text"] for one in service.call("GET", path)["items"]]
        like, other = (_LIKES[(number + step) % len(_LIKES)] for step in (0, 1))
        once.append(sum(text.count(like) for text in texts) == 1)
        apart.append(any(other in text for text in texts))
    return round(fmean(once), 4), round(fmean(apart), 4)


def _locomo(bench: Bench) -> tuple[dict[str, float], dict[str, list[float]], int]:
    """Return thoughts found by probes, and recall@5 of both recipes by question."""
    shares: dict[str, list[float]] = {str(count): [] for count in _PROBES}
    recalls: dict[str, list[float]] = {"default": [], "thoughts": []}
    count = 0
    held = datasets.conversations(bench.data / "locomo_dev.jsonl")[:_CONVERSATIONS]
    for conversation in held:
        bench.service.switch(conversation.name, on=bench.is_on)
        ids = bench.service.store(conversation.name, conversation.items)
        bench.service.organise(conversation.name, ids[0])
        count += len(conversation.questions)
        for question in conversation.questions:
            found = {
                probes: [
                    one["id"]
                    for one in _thoughts(
                        bench.service, conversation.name, question.text, limit=_K, probes=probes
                    )
                ]
                for probes in _PROBES
            }
            if found[_ALL]:
                for probes, ids_found in found.items():
                    shares[str(probes)].append(recall_at(_K, ids_found, found[_ALL]))
            for recipe, values in recalls.items():
                docs = _docs(bench.service, conversation.name, question.text, recipe)
                values.append(recall_at(5, docs, question.gold))
    return {name: round(fmean(v), 4) if v else 0.0 for name, v in shares.items()}, recalls, count


def _docs(service: Service, user: str, text: str, recipe: str) -> Sequence[str]:
    hits = service.recall(user, text, limit=_K, recipe=recipe)
    return [hit["metadata"]["doc"] for hit in hits]


def _thoughts(
    service: Service, user: str, query: str, *, limit: int, probes: int | None = None
) -> list[dict[str, Any]]:
    body = {"query": query, "user_id": user, "limit": limit, "probes": probes}
    return list(service.call("POST", "/v1/thoughts:recall", body)["thoughts"])
