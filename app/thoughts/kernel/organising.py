"""What becomes of the thoughts of a bucket: forgotten, merged, joined. Pure.

Source: Think-in-Memory, arXiv 2311.08719, section 3.2: insert, forget and merge inside a bucket.
Deviation: nothing is deleted. What is forgotten or merged stays as a tombstone that names the
thought which took its place, so that it comes back when that thought loses its source.
"""

import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby, pairwise

from app.kit import statements as relations
from app.kit.statements import head_key, normalised, relation_key

NEAR = 0.95
"""Cosine from which two thoughts of one head say the same."""
MOST_TAILS = 16
"""Tails of one joined thought, at most: its text stays a sentence, and a write stays cheap."""

_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Member:
    """An active thought of a bucket."""

    ordinal: int
    bucket: int
    agent_id: str | None
    head: str
    relation: str | None
    tails: tuple[str, ...]
    text: str
    valid_from: datetime

    @property
    def age(self) -> tuple[datetime, int]:
        """Sorts the older first."""
        return self.valid_from, self.ordinal

    @property
    def circle(self) -> tuple[int, str, str]:
        """Thoughts outside of each other's circle are never joined: bucket, agent, head."""
        return self.bucket, self.agent_id or "", head_key(self.head)

    @property
    def is_functional(self) -> bool:
        """Whether a newer thought of the same head and relation ends it."""
        return relations.is_functional(self.head, self.relation, self.tails)


@dataclass(frozen=True, slots=True)
class Forgetting:
    """``ordinal`` held until ``at``, when ``forgotten_for`` began to."""

    ordinal: int
    forgotten_for: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Merging:
    """``ordinal`` says what ``merged_into`` says."""

    ordinal: int
    merged_into: int


@dataclass(frozen=True, slots=True)
class Joining:
    """A new thought says all that its parts say."""

    parts: tuple[int, ...]
    head: str
    relation: str
    tails: tuple[str, ...]
    text: str | None = None
    """As a model worded it; else it is made of the triple."""


@dataclass(slots=True)
class Plan:
    """What is to be done with a bucket's thoughts; each is in one place at most."""

    forgotten: list[Forgetting] = field(default_factory=list)
    merged: list[Merging] = field(default_factory=list)
    joined: list[Joining] = field(default_factory=list)

    def gone(self) -> set[int]:
        """Return what is no longer active then."""
        parts = (part for one in self.joined for part in one.parts)
        closed = {one.ordinal for one in self.forgotten}
        return closed.union((one.ordinal for one in self.merged), parts)


def organise(members: Sequence[Member], near: Iterable[tuple[int, int]]) -> Plan:
    """Plan by rule what becomes of thoughts.

    A functional relation holds for its newest tail. Tails of any other relation are joined. Of
    near duplicates the newest stays.

    Args:
        members: active thoughts; those of different buckets do not touch each other.
        near: pairs of ordinals whose vectors have a cosine of :data:`NEAR` or more.
    """
    plan = Plan()
    for circle in _groups(members):
        if circle[0].is_functional:
            _forget(circle, plan)
        else:
            _join(circle, plan)
    merge_near(members, near, plan)
    return plan


def limited(plan: Plan, same: Set[int]) -> tuple[Plan, set[int]]:
    """Return what of a plan only concerns ``same``, and the thoughts that the rest concerned."""
    kept, left = Plan(), set[int]()
    for forgetting in plan.forgotten:
        pair = {forgetting.ordinal, forgetting.forgotten_for}
        if pair <= same:
            kept.forgotten.append(forgetting)
        else:
            left |= pair
    for merging in plan.merged:
        pair = {merging.ordinal, merging.merged_into}
        if pair <= same:
            kept.merged.append(merging)
        else:
            left |= pair
    for joining in plan.joined:
        if set(joining.parts) <= same:
            kept.joined.append(joining)
        else:
            left.update(joining.parts)
    return kept, left


def _groups(members: Sequence[Member]) -> list[list[Member]]:
    """Return thoughts of one head and relation together, the older first."""

    def key(one: Member) -> tuple[object, ...]:
        relation = one.relation or ""
        aspect = relations.aspect(relation, one.tails[0]) if one.is_functional else None
        return *one.circle, relation_key(relation), aspect or "", aspect is None

    triples = sorted((one for one in members if one.relation), key=lambda m: (key(m), m.age))
    groups = [list(group) for _, group in groupby(triples, key)]
    return [group for group in groups if len(group) > 1]


def _forget(circle: Sequence[Member], plan: Plan) -> None:
    """Close what a newer tail has ended; of a tail said again, the newest stays."""
    runs = _runs(circle)
    for run in runs:
        plan.merged += [Merging(one.ordinal, run[-1].ordinal) for one in run[:-1]]
    for before, after in pairwise(runs):
        relation = after[0].relation or ""
        if relations.is_possible_change(relation, before[-1].tails, after[0].tails):
            # The time of the change is when the new tail was first said.
            closed = Forgetting(before[-1].ordinal, after[-1].ordinal, after[0].valid_from)
            plan.forgotten.append(closed)


def _runs(circle: Sequence[Member]) -> list[list[Member]]:
    """Return thoughts in order, together as long as they say the same."""
    runs: list[list[Member]] = []
    for one in circle:
        if runs and relations.is_same_tail(runs[-1][-1].tails, one.tails):
            runs[-1].append(one)
        else:
            runs.append([one])
    return runs


def _tail_keys(member: Member) -> frozenset[str]:
    return frozenset(map(normalised, member.tails))


def _join(circle: Sequence[Member], plan: Plan) -> None:
    """Make one thought of all tails; a tail that is there already adds no new one."""
    lists = [one for one in circle if len(one.tails) > 1]
    holder = {key: one.ordinal for one in lists for key in _tail_keys(one)}
    singles = [one for one in circle if len(one.tails) == 1]
    for one in reversed(singles):  # the newest of equal ones stays
        (key,) = _tail_keys(one)
        if holder.setdefault(key, one.ordinal) != one.ordinal:
            plan.merged.append(Merging(one.ordinal, holder[key]))
    stays = {holder[key] for key in holder}
    open_lists = [one for one in lists if len(one.tails) < MOST_TAILS]
    kept = sorted(
        [*open_lists, *(one for one in singles if one.ordinal in stays)], key=lambda m: m.age
    )
    plan.joined += [joining for joining in map(_joining, _packed(kept)) if len(joining.parts) > 1]


def _packed(parts: Sequence[Member]) -> list[list[Member]]:
    """Return parts in order, in packs of no more than the most tails."""
    packs: list[list[Member]] = []
    room = 0
    for part in parts:
        if room < len(part.tails):
            packs.append([])
            room = MOST_TAILS
        packs[-1].append(part)
        room -= len(part.tails)
    return packs


def _joining(parts: Sequence[Member]) -> Joining:
    tails: dict[str, str] = {}
    for part in parts:
        tails |= {normalised(tail): tail for tail in part.tails}
    newest = parts[-1]
    ordinals = tuple(part.ordinal for part in parts)
    return Joining(ordinals, newest.head, newest.relation or "", tuple(tails.values()))


def merge_near(members: Sequence[Member], near: Iterable[tuple[int, int]], plan: Plan) -> None:
    """Add to a plan that of near duplicates the newest stays.

    Deviation: other numbers are another statement, however near the vectors are; and what a newer
    thought ends is never ended by nearness.
    """
    gone = plan.gone() | {one.merged_into for one in plan.merged}
    free = {one.ordinal: one for one in members if one.ordinal not in gone and len(one.tails) < 2}
    newest: dict[int, Member] = {}
    for pair in near:
        if pair[0] in free and pair[1] in free:
            older, newer = sorted((free[pair[0]], free[pair[1]]), key=lambda m: m.age)
            is_newest = older.ordinal not in newest or newest[older.ordinal].age < newer.age
            if is_newest and _says_the_same(older, newer):
                newest[older.ordinal] = newer
    plan.merged += [Merging(ordinal, newer.ordinal) for ordinal, newer in newest.items()]


def _says_the_same(one: Member, other: Member) -> bool:
    if one.circle != other.circle:
        return False
    if one.is_functional or other.is_functional:
        # "I live in Rome" and "I live in Oslo" are near, too; the tails decide.
        return False
    return set(_NUMBER.findall(one.text)) == set(_NUMBER.findall(other.text))
