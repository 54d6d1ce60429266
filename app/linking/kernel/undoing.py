"""What is undone of notes when memories go: every change that their words had a part in. Pure.

A word may go a long way: a tag passes from an erased memory to one note, and from that note to the
next. So the log is followed from change to change, as far as the words went.

Source: A-MEM, arXiv:2502.12110, section 3.3 (memory evolution), which these changes are of.
Deviation: the paper has neither a log nor a way back.
"""

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from app.linking.kernel.links import strengthened


@dataclass(frozen=True, slots=True)
class State:
    """What of a note evolves."""

    keywords: tuple[str, ...]
    tags: tuple[str, ...]
    context: str


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a note, as it is on record."""

    number: int
    target: int
    sources: tuple[int, ...]
    before: State
    after: State
    is_by_model: bool
    is_reverted: bool

    @property
    def tags_brought(self) -> set[str]:
        """Return the tags that came with it."""
        return set(self.after.tags) - set(self.before.tags)


@dataclass(frozen=True, slots=True)
class Undoing:
    """What is left to do with the changes that were reached."""

    dropped: list[int]
    """Numbers of changes to be forgotten."""
    kept: list[Change]
    """Changes as they would have been without the memories that are gone."""
    states: dict[int, State]
    """By ordinal, the notes as they are now to be."""


def reached(changes: Iterable[Change], gone: AbstractSet[int]) -> list[Change]:
    """Return the changes, oldest first, that words of the memories ``gone`` had a part in.

    Those that were made from one of them; then those that passed a tag on which had come that way;
    any that a model made while it was shown a note so changed; and all later ones of such a note,
    for they stand on its earlier words. A change that was reverted had its time before: what it
    passed on meanwhile is followed, too.
    """
    carried: dict[int, set[str]] = {}
    found = []
    for change in sorted(changes, key=lambda one: one.number):
        passed = _passed(change, gone, carried)
        if passed is None:
            continue
        found.append(change)
        if change.before != change.after:
            carried.setdefault(change.target, set()).update(passed)
    return found


def _passed(
    change: Change, gone: AbstractSet[int], carried: dict[int, set[str]]
) -> set[str] | None:
    """Return the tags that may be of gone memories; ``None``: it has none of their words."""
    brought = change.tags_brought
    if not gone.isdisjoint((change.target, *change.sources)):
        return brought
    held = [carried[one] for one in (change.target, *change.sources) if one in carried]
    if change.is_by_model:
        return brought if held else None
    passed = brought & set().union(*held)
    return passed if passed or change.target in carried else None


def undone(
    found: Sequence[Change], gone: AbstractSet[int], current: Callable[[int], State]
) -> Undoing:
    """Return what becomes of the changes that were reached, and of their notes.

    Each note goes back to what it was before the first of them. What was chosen by rule is then
    chosen anew from what is left; what a model said cannot be, and is forgotten.

    Args:
        found: as of :func:`reached`.
        gone: ordinals of the memories whose words go.
        current: returns a note as it is now, by ordinal.
    """
    undoing = Undoing([], [], {})
    states = undoing.states
    for change in found:
        is_in_force = not change.is_reverted and change.before != change.after
        if is_in_force and change.target not in gone:
            states.setdefault(change.target, change.before)
    for change in found:
        others = [one for one in change.sources if one != change.target and one not in gone]
        if change.is_by_model or change.is_reverted or change.target in gone or not others:
            undoing.dropped.append(change.number)
            continue
        before = states.get(change.target, change.before)
        after = before
        if change.before != change.after:
            tags = strengthened(before.tags, [(states.get(o) or current(o)).tags for o in others])
            after = states[change.target] = replace(before, tags=tags)
        sources = (change.target, *others)
        undoing.kept.append(replace(change, sources=sources, before=before, after=after))
    return undoing
