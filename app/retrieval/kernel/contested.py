"""Where candidates contradict each other: the side that holds goes first, open ones stay together.

Source: Adaptive Chameleon or Stubborn Sloth, arXiv 2305.13300: who reads one side only believes it.
Deviation: the paper watches what a language model makes of both sides. Here the side that holds
takes the other's place, and both sides of what is open are shown.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from app.retrieval.kernel.candidates import Candidate
from app.retrieval.kernel.scoring import relevance

MOST_LOST = 0.2
"""Share of its score that a memory loses at most to the one that took its place."""
OPEN_SHARE = 0.98
"""Of the score of one side that the other has at least, while both are open."""
MOST_RAISED = 3
"""Memories of a recall that are raised beside the other side."""
_PASSES = 4
_BEHIND = 1 - 1e-6


class Settled(NamedTuple):
    """Of two memories one holds; not ``is_sure``: only where both answer nearly as well."""

    loser: int
    winner: int
    is_sure: bool


class Open(NamedTuple):
    """Two memories of which neither holds."""

    older: int
    newer: int


def settle(
    candidates: Sequence[Candidate],
    settled: Iterable[Settled],
    open_: Iterable[Open],
    *,
    limit: int,
) -> list[Candidate]:
    """Return candidates best first, after what they contradict had its say.

    Args:
        candidates: best first; memories that took another's place may stand among them with 0.
        settled: conflicts of which one side holds.
        open_: conflicts of which none does.
        limit: hits that are wanted; only these raise their other side.
    """
    before = {one.ordinal: one.score for one in candidates}
    scores = dict(before)
    pairs = [one for one in settled if one.loser in scores and one.winner in scores]
    for _ in range(_PASSES):  # each pass settles one more link of a chain of changes
        changed_places = [_take_place(one, scores) for one in pairs]
        if not any(changed_places):
            break
    _raise_others([one for one in open_ if {one.older, one.newer} <= scores.keys()], scores, limit)
    changed = [
        one
        if scores[one.ordinal] == before[one.ordinal]
        else one._replace(score=scores[one.ordinal], relevance=relevance(one))
        for one in candidates
    ]
    return sorted(changed, key=lambda one: (-one.score, -(one.relevance or 0), one.ordinal))


def _take_place(one: Settled, scores: dict[int, float]) -> bool:
    """Let the side that holds exchange places with the other; say whether anything changed."""
    high, low = scores[one.loser], scores[one.winner]
    if low > high or (not one.is_sure and low < (1 - MOST_LOST) * high):
        return False
    scores[one.winner] = high
    scores[one.loser] = min(max(low, (1 - MOST_LOST) * high), _BEHIND * high)
    return high > 0


def _raise_others(pairs: Sequence[Open], scores: dict[int, float], limit: int) -> None:
    """Put the other side of what is wanted right behind it; the newer first of equals."""
    others: dict[int, list[int]] = {}
    for one in pairs:
        others.setdefault(one.older, []).append(one.newer)
        others.setdefault(one.newer, []).append(one.older)
    raised = 0
    for ordinal in sorted(scores, key=lambda ordinal: (-scores[ordinal], ordinal))[:limit]:
        for other in others.get(ordinal, ()):
            least = OPEN_SHARE * scores[ordinal]
            if scores[other] < least and raised < MOST_RAISED:
                scores[other] = least
                raised += 1
