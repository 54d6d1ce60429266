"""The second stage of a recall: reads the question by rules, then lets the kernel score."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import NamedTuple

from app.embeddings.protocol import TokenBits
from app.kit.time_vocabulary import month_names
from app.retrieval.kernel import late_interaction, reranking, times
from app.retrieval.kernel.candidates import Candidate
from app.retrieval.kernel.reranking import Asked, WeightSets
from app.retrieval.service.dated import Dated
from app.tenants.schemas import LocalSettings


class Heard(NamedTuple):
    """What was read in a question before the second stage."""

    tokens: TokenBits | None
    """The bits of its tokens; ``None``: the embedder gives none."""
    dated: Dated


def second_stage(
    candidates: Sequence[Candidate], text: str, local: LocalSettings, heard: Heard, *, most: int
) -> list[Candidate]:
    """Return the best candidates of a question by the second stage's scores."""
    asked = _asked(candidates, text, local, heard)
    return reranking.rerank(candidates, asked, _weight_sets(), most=most)


def _asked(candidates: Sequence[Candidate], text: str, local: LocalSettings, heard: Heard) -> Asked:
    dated = heard.dated
    return Asked(
        text=text,
        dates=[dated.nearness(one) for one in candidates] if dated.times.is_dated else None,
        time_words=_tell_of_time(candidates, months_but(people_names(candidates), local))
        if times.asks_when(text)
        else None,
        tokens=_by_tokens(candidates, heard.tokens),
    )


def _by_tokens(candidates: Sequence[Candidate], tokens: TokenBits | None) -> list[float] | None:
    if tokens is None:
        return None
    return late_interaction.similarities(tokens, [one.tokens for one in candidates])


def people_names(candidates: Sequence[Candidate]) -> frozenset[str]:
    """Return the parts of the names of the people who speak, in small letters."""
    people = reranking.people_among(one.name for one in candidates)
    return frozenset[str]().union(*people.values())


def _tell_of_time(candidates: Sequence[Candidate], months: Mapping[str, int]) -> list[bool]:
    words = times.words_of_time(months)
    return [times.tells_of_time(one.content, words) for one in candidates]


def months_but(names: frozenset[str], local: LocalSettings) -> Mapping[str, int]:
    """Return months by name, but for those that are people's names here, such as June."""
    months = month_names(local.language)
    if months.keys().isdisjoint(names):
        return months
    return {month: number for month, number in months.items() if month not in names}


@cache
def _weight_sets() -> WeightSets:
    return WeightSets(
        people=_weights("people"),
        assistant=_weights("assistant"),
        people_without_tokens=_weights("people_without_tokens"),
        assistant_without_tokens=_weights("assistant_without_tokens"),
    )


def _weights(name: str) -> reranking.Weights:
    """Read a committed file of weights; where they come from: docs/evidence/recall.md."""
    file = resources.files("app.retrieval").joinpath("weights", name + ".json")
    return reranking.weights_of(json.loads(file.read_text("utf-8")))
