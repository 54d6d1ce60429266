"""New and changed memories find their shade: the nearest centre, or none yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from app.embeddings.protocol import Vectors
from app.jobs.protocol import TaskContext
from app.kit import clock
from app.memories import service as memories
from app.memories.service import Batch, ModelTable, Spaces
from app.profiles.kernel import clusters
from app.profiles.models import ProfileState, Shade
from app.profiles.repository import shades, states
from app.profiles.repository.shades import Member, Outline
from app.profiles.service import erasing, sentences
from app.tenants import service as tenants
from app.tenants.policies import Mechanisms
from app.tenants.schemas import OwnerKind

_BATCH = 256


async def follow(context: TaskContext, spaces: Spaces) -> None:
    """Give an owner's new and changed memories their place among the shades."""

    def is_on(mechanisms: Mechanisms) -> bool:
        return mechanisms.profiles

    work = partial(_place, spaces)
    await memories.enrich(
        context, "profiles", work, is_on=is_on, batch=_BATCH, outdated=erasing.outdated_profile
    )


@dataclass(frozen=True, slots=True)
class Joined:
    """Where memories belong, and their centred vectors where they belong to a shade."""

    members: list[Member]
    vectors: Mapping[int, Vectors]


async def _place(spaces: Spaces, batch: Batch) -> None:
    table = (await spaces.current()).table
    async with batch.reading() as session:
        named = await tenants.name_of(session, batch.scope)
        if named is None:
            return
        wanted = await _counting(session, batch, named.kind)
        state = await states.get(session, batch.scope)
        joined = await _nearest(session, batch, table, state, wanted)
    async with batch.writing() as (session, fresh):
        state = await states.get_or_add(session, batch.scope, now=clock.now())
        await _store(session, batch, state, joined, fresh)


async def _counting(session: AsyncSession, batch: Batch, kind: OwnerKind) -> list[int]:
    """Return the ordinals of those memories that say something of the owner."""
    spoken = [memory for memory in batch.live if sentences.speaks(memory, kind)]
    known = await memories.lexemes(session, batch.scope, [memory.ordinal for memory in spoken])
    return [
        memory.ordinal
        for memory in spoken
        if sentences.says_something(memory, known.get(memory.ordinal, ()), batch.local)
    ]


async def _nearest(
    session: AsyncSession,
    batch: Batch,
    table: ModelTable | None,
    state: ProfileState | None,
    wanted: Sequence[int],
) -> Joined:
    """Find the nearest shade of each memory; before there are any all of them are outliers."""
    is_usable = table is not None and state is not None and state.model_id == table.model_id
    if not is_usable or state is None or state.origin is None or table is None:
        return Joined([Member(ordinal, None, None) for ordinal in wanted], {})
    own = await memories.own_vectors(session, batch.scope, table, wanted)
    held = [one for one in await shades.outlines(session, batch.scope) if one.size]
    return nearest(own, wanted, held, state)


def nearest(
    own: Mapping[int, Vectors], wanted: Sequence[int], held: Sequence[Outline], state: ProfileState
) -> Joined:
    """Return the nearest shade of each memory; those without a vector yet are outliers."""
    known = [ordinal for ordinal in wanted if ordinal in own]
    if not known or not held or state.origin is None:
        return Joined([Member(ordinal, None, None) for ordinal in wanted], {})
    origin = np.frombuffer(state.origin, np.float32)
    points = clusters.centered(np.stack([own[ordinal] for ordinal in known]), origin)
    places, distances = clusters.assign(points, centers(held), state.calibration["join"])
    members, vectors = [], {}
    for ordinal, point, place, distance in zip(known, points, places, distances, strict=True):
        if place == clusters.OUTLIER:
            members.append(Member(ordinal, None, None))
        else:
            members.append(Member(ordinal, held[place].id, float(distance)))
            vectors[ordinal] = point
    members += [Member(ordinal, None, None) for ordinal in wanted if ordinal not in own]
    return Joined(members, vectors)


def centers(held: Sequence[Outline]) -> Vectors:
    """Return the centres of shades. Shape [k, d]."""
    return np.stack([np.frombuffer(one.total, np.float32) / one.size for one in held])


async def _store(
    session: AsyncSession, batch: Batch, state: ProfileState, joined: Joined, fresh: frozenset[int]
) -> None:
    """Store the places of memories that are still as they were read."""
    seen = [memory.ordinal for memory in batch.memories if memory.ordinal in fresh]
    before = await shades.places(session, batch.scope, seen)
    left = {shade_id for shade_id in before.values() if shade_id is not None}
    members = [member for member in joined.members if member.ordinal in fresh]
    stays = {member.ordinal for member in members}
    await shades.recount(session, batch.scope, sorted(left))
    await shades.drop_members(session, batch.scope, [o for o in before if o not in stays])
    joined_ids = {member.shade_id for member in members if member.shade_id is not None}
    held = {one.id: one for one in await shades.some(session, batch.scope, joined_ids)}
    # A shade that went meanwhile takes nobody in.
    members = [
        member if member.shade_id in held else Member(member.ordinal, None, None)
        for member in members
    ]
    await shades.put_members(session, batch.scope, members)
    _add_up(held, members, joined.vectors)
    state.changes += len(stays | set(before))
    state.updated_at = clock.now()


def _add_up(
    held: Mapping[UUID, Shade], members: Sequence[Member], vectors: Mapping[int, Vectors]
) -> None:
    """Add new members to their shades' sums; shades to be recounted will be anyway."""
    for member in members:
        if member.shade_id is not None and not held[member.shade_id].needs_recount:
            shade = held[member.shade_id]
            total = np.frombuffer(shade.total, np.float32) + vectors[member.ordinal]
            shade.total, shade.size = total.astype(np.float32).tobytes(), shade.size + 1
            shade.is_stale = True
