"""What a thought is made of: head, relation, tail. Pure.

Source: Think-in-Memory, arXiv 2311.08719, section 3.1 (inductive thoughts).
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that somebody said, as it was said, read as a triple where that is certain."""

    text: str
    head: str
    relation: str | None = None
    tail: str | None = None


def joined_text(head: str, relation: str, tails: Sequence[str]) -> str:
    """Return one sentence that says a relation of all tails, of which there is at least one."""
    *first, last = tails
    listed = f"{', '.join(first)} and {last}" if first else last
    return f"{head} {relation} {listed}."
