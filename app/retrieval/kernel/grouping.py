"""Hits by round or by session: the best turn of each stands for it. Pure.

A round is a user's turn with the answer of an assistant behind it; a turn of any other kind is a
round by itself. A session is everything said in one conversation; a memory without one is alone.

Source: LongMemEval, arXiv:2410.10813, granularity of what is retrieved. Deviation: the index is
always by turn; a coarser answer is put together from turns, so that nothing is averaged away.
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import Literal, NamedTuple

from app.retrieval.kernel.candidates import Candidate

Granularity = Literal["turn", "round", "session"]
BEST_TURNS = 3
"""Turns of a session that are shown, at most."""
PER_GROUP = 4
"""Turns that are looked at for each round or session that is wanted."""
MOST = 200
"""Turns that are looked at, at most."""


class Group(NamedTuple):
    """A round or a session: its best turn, and those of its turns that were found, best first."""

    best: Candidate
    found: Sequence[Candidate]


def depth(limit: int, granularity: Granularity) -> int:
    """Return how many turns to look at for so many hits."""
    return limit if granularity == "turn" else max(limit, min(MOST, PER_GROUP * limit))


def by_session(hits: Sequence[Candidate]) -> list[Group]:
    """Return sessions in the order of their best turns."""
    return _grouped(
        hits, [one.ordinal if one.session_id is None else one.session_id for one in hits]
    )


def by_round(hits: Sequence[Candidate], questions: Mapping[int, int]) -> list[Group]:
    """Return rounds in the order of their best turns.

    Args:
        hits: turns, best first.
        questions: the ordinal of the user's turn that an assistant's answers, by the answer's.
    """
    return _grouped(hits, [questions.get(one.ordinal, one.ordinal) for one in hits])


def _grouped(hits: Sequence[Candidate], keys: Sequence[Hashable]) -> list[Group]:
    groups: dict[Hashable, list[Candidate]] = {}
    for one, key in zip(hits, keys, strict=True):
        groups.setdefault(key, []).append(one)
    return [Group(found[0], found) for found in groups.values()]
