"""A-MEM on LoCoMo: what the chain costs default recall, and what links bring."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any, NamedTuple

from scripts.bench import evidence
from scripts.bench.mechanisms import datasets, designs
from scripts.bench.mechanisms.datasets import Conversation, Question
from scripts.bench.mechanisms.designs import Hit, Links
from scripts.bench.mechanisms.figures import Difference, difference, recall_at
from scripts.bench.mechanisms.outcome import Bench, Outcome
from scripts.bench.mechanisms.service import Service

_K = 10
_POOL = 50
_MULTI_HOP, _TEMPORAL, _SINGLE_HOP = "1", "2", "4"
_NO_LOSS = -0.01
_ASKED = frozenset({"before", "behind", "default", "recipe", "with linked"})
"""Ways of asking; all others are designs of links."""


class Asked(NamedTuple):
    """The recall@10 of a question, by way of asking."""

    category: str
    recall: Mapping[str, float]


def measure(bench: Bench) -> Outcome:
    """Ask every question before the chain, behind it, and by every design of links."""
    asked: list[Asked] = []
    for conversation in datasets.conversations(bench.data / "locomo_dev.jsonl"):
        asked += _ask(bench, conversation)
    multi = _of(asked, _MULTI_HOP)
    ways = [way for way in asked[0].recall if way not in _ASKED]
    gains = {way: _by_category(asked, "default", way) for way in ways}
    chain = _gain(asked, "before", "behind")
    beyond = _gain(multi, "behind", "with linked")
    recipe = _by_category(asked, "behind", "recipe")
    best = max(gains, key=lambda way: gains[way]["1"].mean)
    rows = [
        evidence.row(
            "default recall@10 behind the chain", _mean(asked, "behind"), target="≥ before it",
            baseline=_mean(asked, "before"), holds=chain.mean >= 0,
        ),
        evidence.row(
            "multi-hop: gold among 10 hits and what is linked to them",
            _mean(multi, "with linked"), target="more than among the 10 hits",
            baseline=_mean(multi, "behind"), holds=beyond.low > 0,
        ),
        evidence.row(
            f"multi-hop recall@10 of recipe linked: {_others(recipe)}", _mean(multi, "recipe"),
            target="more than by chance, others ≥ -.01", baseline=_mean(multi, "behind"),
            holds=_is_gain(recipe),
        ),
        evidence.row(
            f"multi-hop recall@10 of the best design ({best})", _mean(multi, best),
            target="more than by chance, others ≥ -.01", baseline=_mean(multi, "default"),
            holds=_is_gain(gains[best]),
        ),
        *(_row(way, found, _mean(multi, way)) for way, found in gains.items()),
    ]  # fmt: skip
    notes = (
        "Recipe linked: among its first ten, at the same number of results as default. The other "
        "designs are links alone, of the best fifty. Intervals: 95 %, paired bootstrap over "
        "questions."
    )
    raw = {
        "chain": chain,
        "beyond": beyond,
        "recipe": recipe,
        "questions": {c: len(_of(asked, c)) for c in "1234"},
        "default": {c: _mean(_of(asked, c), "default") for c in "1234"},
        "gains": gains,
    }
    n = f"{len(asked)} questions, {len(multi)} of them multi-hop"
    works = chain.mean >= 0 and beyond.low > 0 and _is_gain(recipe)
    return Outcome("Links (A-MEM)", n, works, rows, notes, raw)


def _row(way: str, gains: Mapping[str, Difference], value: float) -> dict[str, Any]:
    return evidence.row(f"multi-hop recall@10, {way}: {_others(gains)}", value)


def _others(gains: Mapping[str, Difference]) -> str:
    multi, temporal, single = (gains[c] for c in (_MULTI_HOP, _TEMPORAL, _SINGLE_HOP))
    return f"{multi}, temporal {temporal.mean:+.4f}, single-hop {single.mean:+.4f}"


def _by_category(asked: Sequence[Asked], without: str, with_: str) -> dict[str, Difference]:
    kinds = (_MULTI_HOP, _TEMPORAL, _SINGLE_HOP)
    return {kind: _gain(_of(asked, kind), without, with_) for kind in kinds}


def _is_gain(gains: Mapping[str, Difference]) -> bool:
    others = min(gains[_TEMPORAL].mean, gains[_SINGLE_HOP].mean)
    return gains[_MULTI_HOP].low > 0 and others >= _NO_LOSS


def _ask(bench: Bench, conversation: Conversation) -> list[Asked]:
    service, user = bench.service, conversation.name
    service.switch(user, on=False)
    ids = service.store(user, conversation.items)
    before = [_docs(service, user, question.text, _K) for question in conversation.questions]
    service.switch(user, on=bench.is_on)
    service.organise(user, ids[0])
    graph = service.call("GET", f"/v1/users/{user}/graph?limit=1000")
    doc = {one: item["metadata"]["doc"] for one, item in zip(ids, conversation.items, strict=True)}
    links = _links(graph, ids, conversation.items)
    found = []
    # A longer list has other candidates: what is compared with what was before is as long as that.
    behind = [_docs(service, user, question.text, _K) for question in conversation.questions]
    for question, docs, now in zip(conversation.questions, before, behind, strict=True):
        hits = service.recall(user, question.text, limit=_POOL)
        linked = service.recall(user, question.text, limit=_K, recipe="linked")
        rankings = {
            "before": docs,
            "behind": now,
            "recipe": [hit["metadata"]["doc"] for hit in linked if not hit["linked_from"]],
            "default": [hit["metadata"]["doc"] for hit in hits if "doc" in hit["metadata"]],
            **{way: [doc[one] for one in ranked if one in doc]
               for way, ranked in _designed(hits, links).items()},
        }  # fmt: skip
        recall = {way: recall_at(_K, ranked, question.gold) for way, ranked in rankings.items()}
        recall["with linked"] = _reached(linked, question)
        found.append(Asked(question.category, recall))
    return found


def _docs(service: Service, user: str, text: str, limit: int) -> list[str]:
    return [hit["metadata"]["doc"] for hit in service.recall(user, text, limit=limit)]


def _reached(linked: Sequence[dict[str, Any]], question: Question) -> float:
    """Return the share of gold among hits and what is linked to them, however many these are."""
    return recall_at(len(linked), [hit["metadata"]["doc"] for hit in linked], question.gold)


def _links(
    graph: Mapping[str, Any], ids: Sequence[str], items: Sequence[Mapping[str, Any]]
) -> dict[str, Links]:
    session = {one: item["session_id"] for one, item in zip(ids, items, strict=True)}
    turns: dict[str, list[str]] = {}
    for one, name in session.items():
        turns.setdefault(name, []).append(one)
    own = designs.of_graph(graph)
    return {
        "mutual nearest notes": own,
        "mutual nearest notes of other sessions": designs.across(own, session),
        "shared keywords": designs.by_keywords(graph),
        "turns beside in a session": designs.by_neighbourhood(turns.values()),
    }


def _designed(
    found: Sequence[Mapping[str, Any]], links: Mapping[str, Links]
) -> dict[str, list[str]]:
    hits = [Hit(hit["id"], hit["score"]) for hit in found]
    ways: dict[str, list[str]] = {}
    for name, linked in links.items():
        ways[f"{name} take 3 places"] = designs.tail(hits, linked)
        ways[f"{name} lend score"] = designs.spread(hits, linked)
    return ways


def _of(asked: Sequence[Asked], category: str) -> list[Asked]:
    return [one for one in asked if one.category.startswith(category)]


def _mean(asked: Sequence[Asked], way: str) -> float:
    return round(fmean(one.recall[way] for one in asked), 4)


def _gain(asked: Sequence[Asked], without: str, with_: str) -> Difference:
    return difference([one.recall[without] for one in asked], [one.recall[with_] for one in asked])
