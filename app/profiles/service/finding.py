"""Topics of an owner, found anew: from a sample, which all others then join."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from app.embeddings.protocol import Vectors
from app.embeddings.service import embedder_awaited
from app.memories import service as memories
from app.memories.service import ModelTable
from app.profiles.kernel import clusters
from app.profiles.kernel.clusters import Thresholds
from app.profiles.models import ProfileState
from app.profiles.repository import shades
from app.profiles.repository.shades import Member
from app.profiles.service import calibration
from app.profiles.service.scopes import Subject
from app.profiles.service.topics import SAMPLE, add_up, evenly
from app.profiles.service.updating import update

_AWAY_S = 30
_BLOCK = 2_000
_REFERENCE_WEIGHT = 50
"""How many memories the reference sentences count for where vectors are centred."""


@dataclass(slots=True)
class _Topic:
    """A cluster while topics are found anew."""

    id: UUID
    total: Vectors
    size: int = 0


@dataclass(slots=True)
class _Found:
    """What finding topics anew has come to so far."""

    thresholds: Thresholds
    origin: Vectors
    topics: list[_Topic] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)


def is_full_due(whose: Subject, state: ProfileState, table: ModelTable) -> bool:
    """Tell whether topics are to be found anew rather than brought up to date."""
    if state.origin is None or state.model_id != table.model_id or state.wants_full:
        return True
    return state.version + 1 - state.full_version >= whose.shop.settings.full_every


async def renew(whose: Subject, state: ProfileState) -> bool:
    """Bring topics up to date; tell whether they were found anew."""
    space = await whose.shop.spaces.current()
    if space.table is None:
        return False
    if not is_full_due(whose, state, space.table):
        await update(whose, state, space.table)
        return False
    if space.embedder is None:
        return False
    with embedder_awaited(_AWAY_S):
        measure = await whose.shop.calibrations.of(space.embedder)
    await _find(whose, space.table, measure)
    return True


async def _find(whose: Subject, table: ModelTable, measure: calibration.Calibration) -> None:
    """Find topics anew: cluster a sample, then let everybody else join."""
    async with whose.reading() as session:
        everyone = [member.ordinal for member in await shades.all_members(session, whose.scope)]
        chosen = evenly(everyone, SAMPLE)
        own = await memories.own_vectors(session, whose.scope, table, chosen)
        before = [one.id for one in await shades.outlines(session, whose.scope)]
        places = await shades.places(session, whose.scope, list(own))
    ordinals = [ordinal for ordinal in chosen if ordinal in own]
    found = await asyncio.to_thread(_clustered, ordinals, own, measure)
    _continue(found, before, places)
    # Whatever was left out of the sample joins, block by block.
    sampled = set(ordinals)
    rest = [ordinal for ordinal in everyone if ordinal not in sampled]
    for start in range(0, len(rest), _BLOCK):
        await _join_rest(whose, table, found, rest[start : start + _BLOCK])
    await _store_members(whose, found.members)
    async with whose.writing() as (session, state):
        await _store_topics(session, whose, found, before)
        state.origin = found.origin.tobytes()
        state.model_id = table.model_id
        state.calibration = {
            "cut": found.thresholds.cut,
            "join": found.thresholds.join,
            "merge": found.thresholds.merge,
        }
        # Until a version shows them: a worker that dies before that finds them anew.
        state.wants_full = True


async def _store_members(whose: Subject, members: Sequence[Member]) -> None:
    """Store places piece by piece: other writers of the owner wait for one piece only.

    Until the topics are stored, some members have a topic that is not there yet. Nothing reads
    them meanwhile: the owner's tasks run one by one, and whoever is cut off here finds all topics
    anew.
    """
    async with whose.writing() as (_, state):
        state.wants_full = True
    for start in range(0, len(members), _BLOCK):
        async with whose.writing() as (session, _):
            block = members[start : start + _BLOCK]
            await shades.replace_members(session, whose.scope, block)


def _clustered(
    ordinals: Sequence[int], own: Mapping[int, Vectors], measure: calibration.Calibration
) -> _Found:
    if not ordinals:
        return _Found(measure.thresholds, measure.mean)
    raw = np.stack([own[ordinal] for ordinal in ordinals])
    weight = len(raw) + _REFERENCE_WEIGHT
    origin = (raw.sum(axis=0) + _REFERENCE_WEIGHT * measure.mean) / weight
    points = clusters.centered(raw, origin)
    labels = clusters.cluster(points, measure.thresholds)
    found = _Found(measure.thresholds, origin.astype(np.float32))
    for label in range(int(labels.max()) + 1):
        members = np.flatnonzero(labels == label).tolist()
        topic = _Topic(uuid4(), points[members].sum(axis=0), len(members))
        found.topics.append(topic)
        distance = np.linalg.norm(points[members] - topic.total / topic.size, axis=1)
        found.members += [
            Member(ordinals[i], topic.id, float(d)) for i, d in zip(members, distance, strict=True)
        ]
    outliers = np.flatnonzero(labels == clusters.OUTLIER).tolist()
    found.members += [Member(ordinals[i], None, None) for i in outliers]
    return found


def _continue(found: _Found, before: Sequence[UUID], places: Mapping[int, UUID | None]) -> None:
    """Let a topic go on under the id of the shade that it shares most members with."""
    old = [
        frozenset(ordinal for ordinal, place in places.items() if place == one) for one in before
    ]
    new = [
        frozenset(member.ordinal for member in found.members if member.shade_id == topic.id)
        for topic in found.topics
    ]
    renamed = {}
    for place, earlier in clusters.continuations(old, new).items():
        topic = found.topics[place]
        renamed[topic.id] = before[earlier]
        topic.id = before[earlier]
    found.members = [
        member._replace(shade_id=renamed.get(member.shade_id, member.shade_id))
        if member.shade_id is not None
        else member
        for member in found.members
    ]


async def _join_rest(
    whose: Subject, table: ModelTable, found: _Found, ordinals: Sequence[int]
) -> None:
    async with whose.reading() as session:
        own = await memories.own_vectors(session, whose.scope, table, ordinals)
    known = [ordinal for ordinal in ordinals if ordinal in own]
    unknown = [Member(ordinal, None, None) for ordinal in ordinals if ordinal not in own]
    found.members += unknown
    if not found.topics or not known:
        found.members += [Member(ordinal, None, None) for ordinal in known]
        return
    points = clusters.centered(np.stack([own[ordinal] for ordinal in known]), found.origin)
    centers: Vectors = np.stack([topic.total / np.float32(topic.size) for topic in found.topics])
    places, distances = clusters.assign(points, centers, found.thresholds.join)
    for ordinal, point, place, distance in zip(known, points, places, distances, strict=True):
        if place == clusters.OUTLIER:
            found.members.append(Member(ordinal, None, None))
            continue
        topic = found.topics[place]
        topic.total, topic.size = topic.total + point, topic.size + 1
        found.members.append(Member(ordinal, topic.id, float(distance)))


async def _store_topics(
    session: AsyncSession, whose: Subject, found: _Found, before: Sequence[UUID]
) -> None:
    kept = {topic.id for topic in found.topics}
    await shades.drop(session, whose.scope, [one for one in before if one not in kept])
    held = {one.id: one for one in await shades.some(session, whose.scope, kept)}
    for topic in found.topics:
        add_up(session, whose, held.get(topic.id), topic.id, topic.total, topic.size)
    await session.flush()
    await shades.release_members(session, whose.scope)
