"""Topics of an owner: found anew now and then, brought up to date in between."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from app.embeddings.protocol import Vectors
from app.kit import clock
from app.memories import service as memories
from app.memories.service import ModelTable
from app.profiles.kernel import clusters
from app.profiles.kernel.clusters import Thresholds
from app.profiles.kernel.documents import Shade as ShadeDocument
from app.profiles.models import ProfileState, Shade
from app.profiles.repository import shades
from app.profiles.repository.shades import Member
from app.profiles.schemas import SHADE
from app.profiles.service import asking, calibration, following
from app.profiles.service.scopes import Subject, postponed

SAMPLE = 2_000
"""Memories that topics are found from; of more, so many spread evenly over time."""
_BLOCK = 2_000
_REFERENCE_WEIGHT = 50
"""How many memories the reference sentences count for where vectors are centred."""


@dataclass(slots=True)
class _Topic:
    """A cluster while topics are found anew."""

    id: UUID
    total: Vectors
    size: int = 0
    before: Shade | None = None


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
        await _update(whose, state, space.table)
        return False
    if space.embedder is None:
        return False
    with postponed():
        measure = await whose.shop.calibrations.of(space.embedder)
    await _find(whose, space.table, measure)
    return True


async def _find(whose: Subject, table: ModelTable, measure: calibration.Calibration) -> None:
    """Find topics anew: cluster a sample, then let everybody else join."""
    async with whose.reading() as session:
        everyone = [member.ordinal for member in await shades.all_members(session, whose.scope)]
        chosen = _evenly(everyone, SAMPLE)
        own = await memories.own_vectors(session, whose.scope, table, chosen)
        before = await shades.everyone(session, whose.scope)
        places = await shades.places(session, whose.scope, list(own))
    ordinals = [ordinal for ordinal in chosen if ordinal in own]
    found = await asyncio.to_thread(_clustered, ordinals, own, measure)
    _continue(found, before, places)
    # Whatever was left out of the sample joins, block by block.
    sampled = set(ordinals)
    rest = [ordinal for ordinal in everyone if ordinal not in sampled]
    for start in range(0, len(rest), _BLOCK):
        await _join_rest(whose, table, found, rest[start : start + _BLOCK])
    async with whose.writing() as (session, state):
        for start in range(0, len(found.members), _BLOCK):
            block = found.members[start : start + _BLOCK]
            await shades.replace_members(session, whose.scope, block)
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


def _evenly(ordinals: Sequence[int], most: int) -> list[int]:
    if len(ordinals) <= most:
        return list(ordinals)
    return [ordinals[i * len(ordinals) // most] for i in range(most)]


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


def _continue(found: _Found, before: Sequence[Shade], places: Mapping[int, UUID | None]) -> None:
    """Let a topic go on under the id of the shade that it shares most members with."""
    old = [
        frozenset(ordinal for ordinal, place in places.items() if place == one.id) for one in before
    ]
    new = [
        frozenset(member.ordinal for member in found.members if member.shade_id == topic.id)
        for topic in found.topics
    ]
    renamed = {}
    for place, earlier in clusters.continuations(old, new).items():
        topic = found.topics[place]
        topic.before = before[earlier]
        renamed[topic.id] = before[earlier].id
        topic.id = before[earlier].id
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
    session: AsyncSession, whose: Subject, found: _Found, before: Sequence[Shade]
) -> None:
    kept = {topic.id for topic in found.topics}
    await shades.drop(session, whose.scope, [one.id for one in before if one.id not in kept])
    held = {one.id: one for one in await shades.everyone(session, whose.scope)}
    for topic in found.topics:
        add_up(session, whose, held.get(topic.id), topic.id, topic.total, topic.size)


def add_up(
    session: AsyncSession,
    whose: Subject,
    shade: Shade | None,
    shade_id: UUID,
    total: Vectors,
    size: int,
) -> None:
    """Store a topic's counts; its texts are to be made anew."""
    if shade is None:
        shade = Shade(owner_id=whose.scope.owner_id, id=shade_id, document={}, source_ordinals=[])
        session.add(shade)
    shade.total = total.astype(np.float32).tobytes()
    shade.size = size
    shade.is_stale = True
    shade.needs_recount = False
    shade.updated_at = clock.now()


async def _update(whose: Subject, state: ProfileState, table: ModelTable) -> None:
    """Count again what changed, merge what came near, look among the outliers for new topics."""
    async with whose.reading() as session:
        held = await shades.everyone(session, whose.scope)
    for shade in held:
        if shade.needs_recount:
            await _recount(whose, state, table, shade.id)
    await _merge(whose, state)
    await _find_among_outliers(whose, state, table)


async def _recount(whose: Subject, state: ProfileState, table: ModelTable, shade_id: UUID) -> None:
    """Count a shade's members again; one without enough of them dissolves."""
    assert state.origin is not None
    origin = np.frombuffer(state.origin, np.float32)
    async with whose.reading() as session:
        members = await shades.members_of(session, whose.scope, shade_id)
        chosen = _evenly([member.ordinal for member in members], SAMPLE)
        own = await memories.own_vectors(session, whose.scope, table, chosen)
    points = clusters.centered(np.stack(list(own.values())), origin) if own else None
    async with whose.writing() as (session, _):
        shade = await shades.get(session, whose.scope, shade_id)
        if shade is None:
            return
        if points is None or len(members) < clusters.LEAST_SIZE:
            await shades.move_members(session, whose.scope, [shade_id], None)
            await shades.drop(session, whose.scope, [shade_id])
            return
        total = points.mean(axis=0) * len(members)
        add_up(session, whose, shade, shade_id, total, len(members))


async def _merge(whose: Subject, state: ProfileState) -> None:
    """Merge shades whose centres came near, and those that a language model holds to be one."""
    async with whose.reading() as session:
        held = [one for one in await shades.everyone(session, whose.scope) if one.size]
    if len(held) < 2:
        return
    groups = clusters.components(following.centers(held), state.calibration["merge"])
    for group in groups:
        await _join(whose, [held[place].id for place in group])
    if whose.shop.llm is not None and not groups:
        told = [one for one in held if one.document]
        if len(told) > 1 and any(one.is_stale for one in held):
            documents = [SHADE.validate_python(one.document) for one in told]
            for group in await asking.same_shades(whose, whose.shop.llm, documents):
                await _join(whose, [told[place].id for place in group])


async def _join(whose: Subject, shade_ids: Sequence[UUID]) -> None:
    """Make one shade of several: the largest goes on, with the sizes' weighted mean as centre."""
    async with whose.writing() as (session, _):
        everyone = await shades.everyone(session, whose.scope)
        held = [one for one in everyone if one.id in set(shade_ids)]
        if len(held) < 2:
            return
        first, others = held[0], held[1:]
        gone = [one.id for one in others]
        total = np.sum([np.frombuffer(one.total, np.float32) for one in held], axis=0)
        add_up(session, whose, first, first.id, total, sum(one.size for one in held))
        first.document = {
            **first.document,
            "merged_from": [
                *first.document.get("merged_from", []),
                *(str(shade_id) for shade_id in gone),
            ],
            "merged": [one.document for one in others if one.document],
        }
        first.source_ordinals = sorted({o for one in held for o in one.source_ordinals})
        await shades.move_members(session, whose.scope, gone, first.id)
        await session.flush()
        await shades.drop(session, whose.scope, gone)


async def _find_among_outliers(whose: Subject, state: ProfileState, table: ModelTable) -> None:
    """Cluster those that belong nowhere yet."""
    assert state.origin is not None
    origin = np.frombuffer(state.origin, np.float32)
    async with whose.reading() as session:
        outliers = await shades.members_of(session, whose.scope, None, limit=SAMPLE)
        ordinals = [member.ordinal for member in outliers]
        own = await memories.own_vectors(session, whose.scope, table, ordinals)
        held = await shades.everyone(session, whose.scope)
    known = [ordinal for ordinal in ordinals if ordinal in own]
    if len(known) < clusters.LEAST_SIZE:
        return
    points = clusters.centered(np.stack([own[ordinal] for ordinal in known]), origin)
    thresholds = Thresholds(**state.calibration)
    largest = max((one.size for one in held), default=0)
    labels = await asyncio.to_thread(clusters.cluster, points, thresholds, largest=largest)
    if labels.max() == clusters.OUTLIER:
        return
    async with whose.writing() as (session, _):
        for label in range(int(labels.max()) + 1):
            places = np.flatnonzero(labels == label)
            total, shade_id = points[places].sum(axis=0), uuid4()
            distances = np.linalg.norm(points[places] - total / len(places), axis=1)
            add_up(session, whose, None, shade_id, total, len(places))
            members = [
                Member(known[i], shade_id, float(d)) for i, d in zip(places, distances, strict=True)
            ]
            await shades.replace_members(session, whose.scope, members)


def earlier(shade: Shade) -> list[ShadeDocument]:
    """Return the documents that a shade's new texts go on from: its own, and merged ones."""
    if not shade.document:
        return []
    own = {name: value for name, value in shade.document.items() if name != "merged"}
    texts = [own] if "terms" in own else []
    return [SHADE.validate_python(one) for one in [*texts, *shade.document.get("merged", [])]]
