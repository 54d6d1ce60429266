"""How well a time is covered by what was observed, and what its neighbours suggest. Pure.

Source: ChroKnowledge, arXiv 2410.09870, section 3 (categories of answers and of knowledge) and
ChroKnowPrompt (up to three earlier and three later years, nearest first).
Deviation: the paper has a language model confirm or replace the candidate at every step. Without
one a gap is filled only where the nearest neighbours on both sides agree. Answers match as
normalised texts: the paper's fuzzy ratio takes "Paris" for "Paris Saint-Germain".
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, pairwise
from typing import Literal

from app.kit.statements import normalised

SPAN = 3
"""Neighbours on each side, at most."""

Answer = Literal["correct", "partial_correct_1", "partial_correct_2", "incorrect"]
Knowledge = Literal["known", "partially_known", "cut_off", "unknown"]
State = Literal["asserted", "interpolated", "contradictory", "unknown"]


def classify(greedy: Iterable[str], sampled: Iterable[str], gold: Iterable[str]) -> Answer:
    """Return how well answers know a fact.

    Args:
        greedy: answers at temperature 0.
        sampled: answers at a higher temperature.
        gold: every right answer.
    """
    right = {normalised(one) for one in gold}
    hits = [normalised(one) in right for one in greedy]
    if hits and all(hits):
        return "correct"
    if any(hits):
        return "partial_correct_1"
    if any(normalised(one) in right for one in sampled):
        return "partial_correct_2"
    return "incorrect"


def categorise(answers: Sequence[Answer]) -> Knowledge:
    """Return what is known of a fact over consecutive years, oldest first."""
    if all(one == "incorrect" for one in answers):
        return "unknown"
    if all(one == "correct" for one in answers):
        return "known"
    runs = [kind for kind, _ in groupby(answers)]
    is_cut = len(runs) == 2 and set(runs) == {"correct", "incorrect"}
    return "cut_off" if is_cut else "partially_known"


@dataclass(frozen=True, slots=True)
class Sighting:
    """An object as it was observed in [since, until)."""

    object: str
    since: datetime
    until: datetime
    """Exclusive; equal to ``since`` for one moment."""
    source: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """An object that may have held, seen so many steps away: below 0 earlier, above 0 later."""

    object: str
    steps_away: int
    seen_at: datetime
    sources: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a timeline, [start, end)."""

    start: datetime
    end: datetime
    state: State
    objects: tuple[str, ...]
    """What held: one where that is clear, all candidates where it is not."""
    candidates: tuple[Candidate, ...]
    """What the answer stands on, nearest first: the trace."""


def timeline(
    sightings: Sequence[Sighting],
    edges: Sequence[datetime],
    *,
    first: int,
    last: int,
    span: int = SPAN,
    is_functional: bool = True,
) -> list[Step]:
    """Return the steps ``first`` to ``last`` (exclusive) of a grid, with their state.

    Args:
        sightings: what was observed.
        edges: ascending; step n is [edges[n], edges[n + 1]). The grid should reach ``span`` steps
            beyond those asked for.
        first: of the steps asked for.
        last: exclusive.
        span: how many steps to look to each side; 0: none.
        is_functional: whether one object holds at a time; else several never contradict.
    """
    held = [_seen(sightings, start, end) for start, end in pairwise(edges)]
    gap = _gap if is_functional else _gap_of_several
    return [
        _asserted(held[number], edges, number, is_functional=is_functional)
        if held[number]
        else gap(_Gap(held, edges, number, span))
        for number in range(first, last)
    ]


def _seen(sightings: Sequence[Sighting], start: datetime, end: datetime) -> list[Sighting]:
    return [
        one
        for one in sightings
        if one.since < end and (start < one.until or start <= one.since == one.until)
    ]


def _asserted(
    seen: Sequence[Sighting], edges: Sequence[datetime], number: int, *, is_functional: bool
) -> Step:
    start, end = edges[number], edges[number + 1]
    own = _candidates(seen, 0, start)
    is_clear = len(own) == 1 or not is_functional
    state: State = "asserted" if is_clear else "contradictory"
    return Step(start, end, state, tuple(one.object for one in own), tuple(own))


@dataclass(frozen=True, slots=True)
class _Gap:
    """A step in which nothing was observed, and where its neighbours are looked for."""

    held: Sequence[list[Sighting]]
    edges: Sequence[datetime]
    number: int
    span: int

    def before(self) -> list[Candidate]:
        return self._nearest(range(self.number - 1, self.number - 1 - self.span, -1))

    def after(self) -> list[Candidate]:
        return self._nearest(range(self.number + 1, self.number + 1 + self.span))

    def step(self, state: State, objects: Iterable[str]) -> Step:
        found = sorted(
            [*self.before(), *self.after()], key=lambda one: (abs(one.steps_away), one.steps_away)
        )
        start, end = self.edges[self.number], self.edges[self.number + 1]
        return Step(start, end, state, tuple(objects), tuple(found))

    def _nearest(self, numbers: range) -> list[Candidate]:
        """Return what was seen in the nearest of some steps in which anything was."""
        for number in numbers:
            if 0 <= number < len(self.held) and self.held[number]:
                return _candidates(self.held[number], number - self.number, self.edges[number])
        return []


def _gap(gap: _Gap) -> Step:
    before, after = gap.before(), gap.after()
    if not before or not after:
        return gap.step("unknown", ())
    objects = {normalised(one.object): one.object for one in (*before, *after)}
    return gap.step("interpolated" if len(objects) == 1 else "contradictory", objects.values())


def _gap_of_several(gap: _Gap) -> Step:
    after = {normalised(one.object) for one in gap.after()}
    both = [one.object for one in gap.before() if normalised(one.object) in after]
    return gap.step("interpolated" if both else "unknown", both)


def _candidates(seen: Sequence[Sighting], away: int, start: datetime) -> list[Candidate]:
    """Return each object once, by the time it was first seen."""
    by_object: dict[str, list[Sighting]] = {}
    for one in sorted(seen, key=lambda one: (one.since, one.source)):
        by_object.setdefault(normalised(one.object), []).append(one)
    return [
        Candidate(
            same[0].object,
            away,
            max(start, same[0].since),
            tuple(sorted({one.source for one in same})),
        )
        for same in by_object.values()
    ]
