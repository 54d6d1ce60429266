"""What the links of the hits lead to. Pure.

Source: A-MEM, arXiv:2502.12110, section 3.4: notes linked to what was retrieved are shown as well.
Deviation: its code cuts the hits and what is linked to them to k together, so that with k hits
nothing linked is ever shown; here the linked ones come beyond the k hits and displace none. Among
the k hits it is not the links that count, which are few, but what they are made by: how near the
notes are.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.retrieval.kernel.candidates import Candidate
from app.retrieval.kernel.reranking import with_assistant

NOTE_WEIGHT = 0.25
"""What a note counts beside all else that the second stage looks at, which counts 1."""
_BEST = 3


class Step(NamedTuple):
    """A link between two memories, whichever points to the other."""

    one: int
    other: int
    weight: float


class Linked(NamedTuple):
    """A memory beyond the hits: the hit that leads to it, and that hit's score x the weight."""

    ordinal: int
    linked_from: int
    score: float
    weight: float


def beyond(hits: Mapping[int, float], steps: Iterable[Step]) -> list[Linked]:
    """Return the memories one link away from the hits, best first, each by its best link.

    Args:
        hits: scores in [0, 1] by ordinal.
        steps: links of the hits; a weight below 0 counts as 0.
    """
    found: dict[int, Linked] = {}
    for step in steps:
        for hit, other in ((step.one, step.other), (step.other, step.one)):
            if hit not in hits or other in hits:
                continue
            weight = max(0.0, step.weight)
            reached = Linked(other, hit, hits[hit] * weight, weight)
            if other not in found or _rank(reached) < _rank(found[other]):
                found[other] = reached
    return sorted(found.values(), key=_rank)


def _rank(one: Linked) -> tuple[float, int, int]:
    return -one.score, one.ordinal, one.linked_from


def near_the_best(
    candidates: Sequence[Candidate], notes: Mapping[int, NDArray[np.float32]]
) -> list[Candidate]:
    """Return candidates by score after those whose notes are near the best hits' have gained.

    The feature ``note`` is the mean, over the three best, of their scores x the cosines of both
    notes; one of the three itself has only the two others. A memory without a note has the mean of
    all others, and where none of the three has a note nothing changes. Nor does it in talks with an
    assistant, whose long answers are near everything.

    Args:
        candidates: best first; scores in [0, 1].
        notes: unit vectors of the notes by ordinal. Shape [d].
    """
    best = [one for one in candidates[:_BEST] if one.ordinal in notes]
    noted = [one for one in candidates if one.ordinal in notes]
    if not best or with_assistant(candidates):
        return list(candidates)
    stacked = np.stack([notes[one.ordinal] for one in noted])
    cosines = np.maximum(stacked @ np.stack([notes[one.ordinal] for one in best]).T, 0)
    is_same = np.equal.outer([one.ordinal for one in noted], [one.ordinal for one in best])
    lent = np.where(is_same, 0, cosines) @ np.array([one.score for one in best]) / _BEST
    usual = float(lent.mean())
    nearness = dict(zip((one.ordinal for one in noted), lent.tolist(), strict=True))
    gained = [_gained(one, min(1.0, nearness.get(one.ordinal, usual))) for one in candidates]
    return sorted(gained, key=lambda one: (-one.score, one.ordinal))


def _gained(one: Candidate, nearness: float) -> Candidate:
    total = 1 + NOTE_WEIGHT
    features = {name: value / total for name, value in one.features.items()}
    features["note"] = NOTE_WEIGHT * nearness / total
    return one._replace(score=one.score / total + features["note"], features=features)
