"""What votes on earlier answers say of a score. Pure.

Source: ReLoop2, arXiv:2306.08808: a fast memory of recent errors beside a slow model; the error to
expect of a prediction is the similarity-weighted mean of the errors in similar cases.
Deviation: the paper hashes cases, so that a look-up takes constant time; an owner has so few slots
that all are looked at. Its cases are samples; here one is a query with a memory, and errors decay.

Units: scores, predictions and usefulness lie in [0, 1], errors in [-1, 1], ages are days.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

LARGEST = 0.5
"""λ: no score is moved by as much."""
SHRINKAGE = 1.0
"""c: how many votes without an error stand against those there are."""
POWER = 4
"""p: how sharply a vote's weight falls with the distance of its query."""
DECAY_DAYS = 30.0
"""τ."""
NEAREST = 32
"""k: the weightiest votes that count for one memory."""
ALIKE = 0.8
"""Cosine from which a vote on another memory counts, too."""
_MIDDLE = 0.6
_SLOPE = 8.0


class Vote(NamedTuple):
    """An error, and how much it says of the case at hand."""

    error: float
    weight: float


def predicted(score: float) -> float:
    """Return how likely a hit of this score is useful: logistic, in (0, 1)."""
    return 1 / (1 + math.exp(-_SLOPE * (score - _MIDDLE)))


def weight(cosine: float, age_days: float) -> float:
    """Return w = max(0, cosine)^p e^(-age/τ), in [0, 1]; a vote from the future has age 0.

    Args:
        cosine: of the query at hand and the one that was voted on.
        age_days: of the vote.
    """
    near = min(1.0, max(0.0, cosine)) ** POWER
    return float(near * math.exp(-max(0.0, age_days) / DECAY_DAYS))


def compensation(votes: Sequence[Vote]) -> float:
    """Return λ Σ w e / (Σ w + c) over the weightiest votes, in (-λ, λ); 0 without votes.

    One vote alone moves a score by λ / (1 + c) at most.
    """
    counted = sorted(votes, key=lambda vote: -vote.weight)[:NEAREST]
    total = sum(vote.weight for vote in counted)
    return LARGEST * sum(vote.weight * vote.error for vote in counted) / (total + SHRINKAGE)
