"""The second stage of a recall: reads the question by rules, then lets the kernel score."""

import json
import re
from collections.abc import Sequence
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

from app.retrieval.kernel import reranking, times
from app.retrieval.kernel.candidates import Candidate
from app.retrieval.kernel.reranking import Asked, Profiles
from app.retrieval.service.dated import month_names
from app.tenants.schemas import LocalSettings

_WORD = re.compile(r"\w+")


def second_stage(
    candidates: Sequence[Candidate], text: str, local: LocalSettings
) -> list[Candidate]:
    """Return the candidates of a question with the second stage's scores, best first."""
    scored = reranking.rerank(candidates, _asked(candidates, text, local), _profiles())
    return sorted(scored, key=lambda one: (-one.score, one.ordinal))


def _asked(candidates: Sequence[Candidate], text: str, local: LocalSettings) -> Asked:
    months = month_names(local.language)
    named = times.named_dates(text, months)
    zone = ZoneInfo(local.time_zone)
    return Asked(
        words=frozenset(_WORD.findall(text.lower())),
        dates=[times.nearness(one.occurred_at.astimezone(zone).date(), named) for one in candidates]
        if named
        else None,
        time_words=[times.tells_of_time(one.content, months) for one in candidates]
        if times.asks_when(text)
        else None,
    )


@cache
def _profiles() -> Profiles:
    return Profiles(people=_weights("people"), assistant=_weights("assistant"))


def _weights(profile: str) -> reranking.Weights:
    """Read a committed file of weights; where they come from: docs/evidence/recall.md."""
    file = resources.files("app.retrieval").joinpath("weights", profile + ".json")
    return reranking.weights_of(json.loads(file.read_text("utf-8")))
