"""What a thought is made of: head, relation, tail, and when two of them are the same. Pure.

Source: Think-in-Memory, arXiv 2311.08719, section 3.1 (inductive thoughts).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

FUNCTIONAL = frozenset(
    {
        "is named",
        "lives in",
        "works at",
        "works as",
        "studies at",
        "is married to",
        "is engaged to",
        "is dating",
        "is from",
        "was born in",
        "was born on",
        "is aged",
    }
)
"""Relations that hold for one tail at a time: a newer one ends the older."""

_FAVOURITE = "favourite "
_LEADING = re.compile(r"^(?:an?|the|my|our|some)\s+")
_NOISE = re.compile(r"[^\w\s'+#&/-]+")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that somebody said, as it was said, read as a triple where that is certain."""

    text: str
    head: str
    relation: str | None = None
    tail: str | None = None


def normalised(text: str) -> str:
    """Return the form by which heads, relations and tails are compared.

    Deviation: the paper compares free text, in which "The Alps" and "the alps" are two things.
    """
    spaced = _SPACE.sub(" ", _NOISE.sub(" ", text.casefold())).strip()
    return _LEADING.sub("", spaced.replace("favorite", "favourite"))


def is_functional(relation_key: str) -> bool:
    """Tell whether a relation (:func:`normalised`) holds for one tail at a time."""
    return relation_key in FUNCTIONAL or relation_key.startswith(_FAVOURITE)


def joined_text(head: str, relation: str, tails: Sequence[str]) -> str:
    """Return one sentence that says a relation of all tails, of which there is at least one."""
    *first, last = tails
    listed = f"{', '.join(first)} and {last}" if first else last
    return f"{head} {relation} {listed}."
