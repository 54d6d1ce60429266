"""Which notes are linked, and what a link does to tags, without a language model. Pure.

Source: A-MEM, arXiv:2502.12110, sections 3.2 (link generation) and 3.3 (memory evolution): the
k = 5 notes nearest by cosine are the candidates of a new note's links, and may evolve with it.
Deviation: the paper asks a language model which candidates to link. Without one, two notes are
linked when each is among the other's k nearest (mutual nearest neighbours) and their cosine is at
least a threshold; only ``strengthen`` happens, and no neighbour's context is ever rewritten.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from app.linking.kernel.notes import MOST_TAGS


class Near(NamedTuple):
    """A note near another, and the cosine of both."""

    ordinal: int
    cosine: float


def nearest(found: Iterable[Near], *, own: int, k: int, least: float) -> tuple[Near, ...]:
    """Return at most ``k`` neighbours of the note ``own`` with a cosine of ``least`` or more."""
    fit = (one for one in found if one.ordinal != own and one.cosine >= least)
    return tuple(sorted(fit, key=lambda one: (-one.cosine, one.ordinal))[:k])


def with_neighbour(held: Sequence[Near], new: Near, *, k: int) -> tuple[Near, ...]:
    """Return a note's ``k`` nearest after ``new`` came (again); sorted, nearest first."""
    others = [one for one in held if one.ordinal != new.ordinal]
    return tuple(sorted([*others, new], key=lambda one: (-one.cosine, one.ordinal))[:k])


def is_among(held: Sequence[Near], ordinal: int) -> bool:
    """Say whether a note is among another's nearest."""
    return any(one.ordinal == ordinal for one in held)


def ends(one: int, other: int) -> tuple[int, int]:
    """Return a link's source and target: the later memory points to the earlier one.

    So no chain of links ever comes back to where it began.
    """
    return max(one, other), min(one, other)


def reason(one: Sequence[str], other: Sequence[str]) -> str:
    """Say why two notes are linked: by the keywords they share, if any."""
    shared = [word for word in one if word in set(other)]
    return "both about " + ", ".join(shared) if shared else "near in meaning"


def strengthened(own: Sequence[str], linked: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return a note's tags after it was linked: the union, most frequent first, at most five.

    Own tags come before others of the same frequency.
    """
    counts = Counter(tag for tags in (own, *linked) for tag in dict.fromkeys(tags))
    mine = {tag: place for place, tag in enumerate(own)}
    order = sorted(counts, key=lambda tag: (-counts[tag], mine.get(tag, len(mine)), tag))
    return tuple(order[:MOST_TAGS])
