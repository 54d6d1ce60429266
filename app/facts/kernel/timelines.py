"""What held when, and what of that we knew when. Pure.

Source: ChroKnowledge, arXiv 2410.09870: a fact has an object for each time.
Deviation: the paper asks a model year by year; here observations of memories are laid out on the
axis of the world's time, once for every moment at which our knowledge changed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from app.kit.statements import is_same_tail, normalised

_NEVER = datetime.max.replace(tzinfo=UTC)
MOST = 64
"""Observations of one group that are laid out; of more, those learned last."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What one memory says of a subject's relation, and from when to when we held it true."""

    source: int
    """Ordinal of the memory."""
    object: str
    valid_from: datetime
    valid_to: datetime | None
    """As stated, exclusive; ``None``: it says nothing of an end."""
    known_from: datetime
    known_to: datetime | None
    is_end: bool = False
    """It says that the object holds no longer, from ``valid_from`` on."""
    confidence: float = 1.0
    """In [0, 1]."""

    @property
    def place(self) -> tuple[datetime, datetime, int, str, bool, datetime]:
        """Sorts by the world's time; of the same moment, what was learned later comes later."""
        until = self.valid_to or _NEVER
        return self.valid_from, self.known_from, self.source, self.object, self.is_end, until


@dataclass(frozen=True, slots=True)
class Stretch:
    """An object that held in [valid_from, valid_to), and the memories that say so."""

    object: str
    valid_from: datetime
    valid_to: datetime | None
    sources: tuple[int, ...]
    confidence: float


@dataclass(frozen=True, slots=True)
class Version:
    """A stretch, and [known_from, known_to): when that was what we knew."""

    stretch: Stretch
    known_from: datetime
    known_to: datetime | None


def layout(observations: Iterable[Observation]) -> list[Stretch]:
    """Return what held when, in order, by observations of one group: a subject's one relation.

    An object holds until another one is observed, unless its end is stated. What starts at the
    same moment is decided by what was learned last.
    """
    ordered = sorted(observations, key=lambda one: one.place)
    moments = {one.valid_from for one in ordered}
    moments |= {one.valid_to for one in ordered if one.valid_to is not None}
    stretches: list[Stretch] = []
    for moment in sorted(moments):
        holding = _holding(ordered, moment)
        last = stretches[-1] if stretches else None
        is_open = last is not None and last.valid_to is None
        if last is not None and is_open:
            if holding is not None and _is_same(holding.object, last.object):
                stretches[-1] = _joined(last, holding)
                continue
            stretches[-1] = Stretch(
                last.object, last.valid_from, moment, last.sources, last.confidence
            )
        if holding is not None:
            stretches.append(
                Stretch(holding.object, moment, None, (holding.source,), holding.confidence)
            )
    return stretches


def _holding(ordered: Sequence[Observation], at: datetime) -> Observation | None:
    begun = [one for one in ordered if one.valid_from <= at]
    latest = begun[-1]
    if latest.is_end:
        before = [one for one in begun if not one.is_end and one.place < latest.place]
        if not before or _is_same(before[-1].object, latest.object):
            return None
        latest = before[-1]
    if latest.valid_to is None or at < latest.valid_to:
        return latest
    covering = [
        one for one in begun if not one.is_end and one.valid_to is not None and at < one.valid_to
    ]
    return covering[-1] if covering else None


def _is_same(one: str, other: str) -> bool:
    return normalised(one) == normalised(other) or is_same_tail([one], [other])


def _joined(stretch: Stretch, said_again: Observation) -> Stretch:
    """Return a stretch that one more memory speaks of; the more exact object names it."""
    if said_again.source in stretch.sources:
        return stretch
    exact = max(stretch.object, said_again.object, key=lambda name: len(normalised(name).split()))
    doubt = (1 - stretch.confidence) * (1 - said_again.confidence)
    sources = (*stretch.sources, said_again.source)
    return Stretch(exact, stretch.valid_from, None, sources, round(1 - doubt, 6))


def history(observations: Sequence[Observation]) -> list[Version]:
    """Return every layout that we ever knew, each stretch with the time in which we knew it.

    A stretch that only gains sources stays the same version, with all of them.
    """
    kept = sorted(observations, key=lambda one: (one.known_from, one.source))[-MOST:]
    moments = {one.known_from for one in kept}
    moments |= {one.known_to for one in kept if one.known_to is not None}
    open_: dict[tuple[str, datetime, datetime | None], Version] = {}
    closed: list[Version] = []
    for moment in sorted(moments):
        known = [
            one
            for one in kept
            if one.known_from <= moment and (one.known_to is None or moment < one.known_to)
        ]
        now = {_key(one): one for one in layout(known)}
        for key in [key for key in open_ if key not in now]:
            version = open_.pop(key)
            closed.append(Version(version.stretch, version.known_from, moment))
        for key, stretch in now.items():
            since = open_[key].known_from if key in open_ else moment
            open_[key] = Version(stretch, since, None)
    versions = [*closed, *open_.values()]
    return sorted(versions, key=lambda one: (one.known_from, one.stretch.valid_from))


def _key(stretch: Stretch) -> tuple[str, datetime, datetime | None]:
    return normalised(stretch.object), stretch.valid_from, stretch.valid_to
