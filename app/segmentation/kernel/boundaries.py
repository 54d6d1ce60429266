"""Cuts a stream of turns into events, online. Pure.

Source: EM-LLM, arXiv:2407.09450, section 3.1: a boundary where surprise exceeds mean + gamma x
deviation of the surprises before; events shorter than a least size are joined to what follows,
longer than a most size are cut. Section 3.2: boundaries are refined once enough lies behind them.
Deviation: a pause between turns is a boundary as well, and nothing is compared across it. The
surprises before are all those up to the turn, of the same stretch; the code takes those before the
present chunk of 512 tokens. Blocks rise to a change before it comes, as they reach ahead of
themselves, so the boundary is where surprise is highest within a block behind the first excess.

What is cut depends on nothing but the turns up to the last one that a boundary needs. So a stream
that grows can be cut piece by piece, from the last event that is not closed yet, with the same
result as at once; and a turn that changes is of no matter to events that did not need it.

Axes: n turns, d dimensions.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.segmentation.kernel.refinement import Metric, refined
from app.segmentation.kernel.surprise import Signal, surprise, threshold

Reason = Literal["start", "gap", "surprise", "size"]


@dataclass(frozen=True, slots=True)
class Rules:
    """When a turn begins an event."""

    signal: Signal = "block"
    gamma: float = 1.0
    window: int = 4
    """Turns that a block is made of; of two who take turns, an even one holds both."""
    history: int = 64
    """Surprises before a turn that its own is measured by."""
    least: int = 8
    """Turns of an event, unless a pause ends it."""
    most: int = 128
    gap_s: float = 1_800.0
    """Seconds between two turns above which the later one begins an event."""
    refinement: Metric | None = "modularity"

    @property
    def ahead(self) -> int:
        """How many turns, with itself, tell how surprising a turn is."""
        return self.window if self.signal == "block" else 1

    @property
    def context(self) -> int:
        """How many turns before an event must be known to cut it and what follows."""
        return max(self.history, self.most // 2) + self.window


class Opening(NamedTuple):
    """How an event begins."""

    place: int
    """Its first turn."""
    noticed: int
    """The turn whose surprise, before refinement, marked it."""
    reason: Reason
    surprise: float | None = None


class Cut(NamedTuple):
    """An event: turns ``opening.place`` to ``stop``, without that one."""

    opening: Opening
    stop: int
    needs: int | None
    """The last turn that its end depends on; ``None``: on what is still to come."""


def cut(
    vectors: NDArray[np.float32],
    times: NDArray[np.float64],
    rules: Rules,
    *,
    first: Opening | None = None,
) -> list[Cut]:
    """Return the events of a stream, in order; they cover it from ``first`` on without a hole.

    Args:
        vectors: shape [n, d].
        times: seconds, of each turn. Shape [n].
        rules: when an event begins.
        first: the event to begin with; ``rules.context`` turns before it must be known, or all.
            ``None``: the stream begins with the first turn.
    """
    if not len(vectors):
        return []
    opening = first or Opening(0, 0, "start")
    gaps = np.flatnonzero(np.abs(np.diff(times)) > rules.gap_s) + 1
    found: list[Cut] = []
    is_settled = True
    for low, high in _stretches(gaps, opening.place, len(vectors)):
        stretch = _Stretch(vectors[low:high], rules, is_over=high < len(vectors))
        local = opening._replace(place=opening.place - low, noticed=opening.noticed - low)
        for one in stretch.cut(local):
            is_settled = is_settled and one.needs is not None
            needs = one.needs + low if one.needs is not None and is_settled else None
            start = one.opening._replace(
                place=one.opening.place + low, noticed=one.opening.noticed + low
            )
            found.append(Cut(start, one.stop + low, needs))
        opening = Opening(high, high, "gap")
    return found


def _stretches(gaps: NDArray[np.int64], first: int, count: int) -> Iterator[tuple[int, int]]:
    """Yield the stretches between pauses, from the one that holds ``first`` on."""
    ends = [0, *gaps.tolist(), count]
    for low, high in pairwise(ends):
        if high > first:
            yield low, high


class _Stretch:
    """Turns without a pause between them."""

    def __init__(self, vectors: NDArray[np.float32], rules: Rules, *, is_over: bool) -> None:
        self._vectors = vectors
        self._rules = rules
        self._is_over = is_over
        self._surprises = surprise(vectors, rules.signal, window=rules.window)

    def cut(self, opening: Opening) -> Iterator[Cut]:
        """Yield the events from ``opening`` on."""
        count = len(self._vectors)
        while (following := self._next(opening)) is not None:
            yield Cut(opening, following.place, self._needs(opening, following))
            opening = following
        yield Cut(opening, count, count if self._is_over else None)

    def _next(self, opening: Opening) -> Opening | None:
        rules = self._rules
        for place in range(opening.noticed + 1, len(self._vectors)):
            if place - opening.place >= rules.most:
                return Opening(place, place, "size")
            if place - opening.noticed >= rules.least and self._is_surprising(place):
                peak = self._peak(place, opening.place + rules.most)
                value = float(self._surprises[peak])
                return Opening(self._refined(opening, peak), peak, "surprise", value)
        return None

    def _peak(self, place: int, last: int) -> int:
        """Return where surprise is highest within a block from a turn on."""
        ahead = self._surprises[place : min(place + self._rules.ahead, last + 1)]
        return place + int(np.nanargmax(ahead))

    def _is_surprising(self, place: int) -> bool:
        past = self._surprises[max(0, place - self._rules.history) : place]
        # A surprise that is not known yet is NaN, which exceeds nothing.
        return bool(self._surprises[place] > threshold(past, self._rules.gamma))

    def _refined(self, opening: Opening, place: int) -> int:
        metric = self._rules.refinement
        if metric is None:
            return place
        low = max(0, opening.place - (place - opening.place) // 2)
        high = min(len(self._vectors), self._window_end(opening, place))
        places = range(opening.place + self._rules.least - low, place - low + 1)
        start = opening.place - low
        return low + refined(self._vectors[low:high], metric, start=start, places=places)

    @staticmethod
    def _window_end(opening: Opening, place: int) -> int:
        return place + (place - opening.place) // 2

    def _needs(self, opening: Opening, following: Opening) -> int | None:
        """Return the last turn that a boundary depends on, within reach or else ``None``."""
        last = following.noticed + 2 * (self._rules.ahead - 1)
        if self._rules.refinement is not None and following.reason == "surprise":
            last = max(last, self._window_end(opening, following.noticed) - 1)
        count = len(self._vectors)
        if last < count:
            return last
        return count if self._is_over else None
