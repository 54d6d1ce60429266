"""Topics brought up to date: counted again, merged, found among those that belong nowhere."""

import asyncio
from collections.abc import Sequence
from uuid import UUID, uuid4

import numpy as np

from app.llm.protocol import LanguageModel
from app.memories import service as memories
from app.memories.service import ModelTable
from app.profiles.kernel import clusters
from app.profiles.kernel.clusters import Thresholds
from app.profiles.models import ProfileState
from app.profiles.repository import shades
from app.profiles.repository.shades import Member
from app.profiles.schemas import SHADE
from app.profiles.service import asking, following
from app.profiles.service.scopes import Subject
from app.profiles.service.topics import SAMPLE, add_up, evenly


async def update(whose: Subject, state: ProfileState, table: ModelTable) -> None:
    """Count again what changed, merge what came near, look among the outliers for new topics."""
    async with whose.reading() as session:
        held = await shades.outlines(session, whose.scope)
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
        chosen = evenly([member.ordinal for member in members], SAMPLE)
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
        held = [one for one in await shades.outlines(session, whose.scope) if one.size]
    if len(held) < 2:
        return
    groups = clusters.components(following.centers(held), state.calibration["merge"])
    for group in groups:
        await _join(whose, [held[place].id for place in group])
    if whose.shop.llm is not None and not groups and any(one.is_stale for one in held):
        await _merge_by_meaning(whose, whose.shop.llm)


async def _merge_by_meaning(whose: Subject, llm: LanguageModel) -> None:
    """Merge what a language model holds to be one topic."""
    async with whose.reading() as session:
        held = await shades.everyone(session, whose.scope)
    told = [one for one in held if one.size and one.document]
    if len(told) < 2:
        return
    documents = [SHADE.validate_python(one.document) for one in told]
    for group in await asking.same_shades(whose, llm, documents):
        await _join(whose, [told[place].id for place in group])


async def _join(whose: Subject, shade_ids: Sequence[UUID]) -> None:
    """Make one shade of several: the largest goes on, with the sizes' weighted mean as centre."""
    async with whose.writing() as (session, _):
        found = await shades.some(session, whose.scope, shade_ids)
        held = sorted(found, key=lambda one: (-one.size, shade_ids.index(one.id)))
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
        held = await shades.outlines(session, whose.scope)
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
