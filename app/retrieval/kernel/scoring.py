"""What a candidate's score becomes after the fusion. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.retrieval.kernel.candidates import Candidate


@dataclass(frozen=True, slots=True)
class Weight:
    """What is known of a candidate besides the question."""

    retention: float
    """How much of it is retained now, in [0, 1]."""
    factor: float
    """What its score is multiplied by, in (0, 1]."""


def relevance(one: Candidate) -> float:
    """Return what the question alone made of a candidate."""
    return one.score if one.relevance is None else one.relevance


_LEAST = 1e-9
"""What a vote leaves of a score: a hit that nobody wanted is the last, but it is there."""


def compensated(
    candidates: Sequence[Candidate], compensations: Mapping[int, float]
) -> Sequence[Candidate]:
    """Return candidates with what votes add to their scores, by ordinal; kept within [0, 1].

    What has no score has none afterwards.
    """
    return [
        _compensated(one, compensations[one.ordinal])
        if one.ordinal in compensations and one.score > 0
        else one
        for one in candidates
    ]


def _compensated(one: Candidate, value: float) -> Candidate:
    score = min(1.0, max(_LEAST, one.score + value))
    return one._replace(score=score, relevance=one.score, feedback=value)


def weigh(
    candidates: Sequence[Candidate], weights: Sequence[Weight] | None = None
) -> list[Candidate]:
    """Return candidates best first after the soft factors.

    The one place for bounded factors such as retention and feedback. Candidates of equal factors
    keep the order of the fusion. Ties are broken by age, so that results repeat.
    """
    if weights is not None:
        pairs = zip(candidates, weights, strict=True)
        candidates = [_weighed(one, weight) for one, weight in pairs]
    return sorted(candidates, key=lambda one: (-one.score, -(one.relevance or 0), one.ordinal))


def _weighed(one: Candidate, weight: Weight) -> Candidate:
    return one._replace(
        score=one.score * weight.factor,
        relevance=relevance(one),
        retention=weight.retention,
        factor=weight.factor,
    )
