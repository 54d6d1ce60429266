"""Thoughts put in, taken back with their sources, and replaced by others."""

from collections.abc import Collection, Sequence
from datetime import datetime

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from app.embeddings.protocol import Vectors
from app.kit.statements import joined_text
from app.memories import service as memories
from app.memories.models import Memory
from app.memories.schemas import DerivedMemory
from app.memories.service import ModelTable
from app.tenants.schemas import Scope
from app.thoughts.kernel import lsh
from app.thoughts.kernel.organising import Forgetting, Joining, Member, Merging, Plan
from app.thoughts.repository import rows, search
from app.thoughts.schemas import SPACE, Draft, Placed


async def store(  # noqa: PLR0913  -- one call, plain facts
    session: AsyncSession,
    scope: Scope,
    table: ModelTable,
    drafts: Sequence[Draft],
    vectors: Vectors,
    placed: Sequence[Placed],
    *,
    now: datetime,
    is_organised: bool = False,
) -> list[int]:
    """Insert thoughts with their vectors [n, d]; return their ordinals. Needs the owner's lock."""
    if not drafts:
        return []
    derived = [
        DerivedMemory(
            kind="thought",
            content=one.text,
            occurred_at=one.valid_from,
            generated_by=one.generated_by,
            sources=one.sources,
            agent_id=one.agent_id,
        )
        for one in drafts
    ]
    ordinals = await memories.add_derived(session, scope, derived, now=now)
    await rows.insert(session, scope, ordinals, drafts, placed, is_organised=is_organised)
    await memories.put_vectors(session, scope, table, SPACE, ordinals, vectors)
    return ordinals


async def take_back(session: AsyncSession, scope: Scope, ordinals: Collection[int]) -> None:
    """Remove the thoughts whose text is made of these memories; needs the owner's lock.

    What they had replaced is active again, and organised anew.
    """
    await _remove(session, scope, await search.made_of(session, scope, sorted(ordinals)))


async def outdated(session: AsyncSession, scope: Scope, changed: Sequence[Memory]) -> None:
    """Remove the thoughts made of memories as they were; needs the owner's lock."""
    await take_back(session, scope, [memory.ordinal for memory in changed])


async def sources_gone(session: AsyncSession, scope: Scope, ordinals: Sequence[int]) -> None:
    """Remove what was thought of memories that are being erased, in their transaction.

    Of a thought that is itself erased by its id, all goes that was merged into it, and what it was
    merged into: else it would be joined again, or would still be said.
    """
    made = await search.made_of(session, scope, ordinals)
    by_id = sorted(set(ordinals) - set(made))
    merged = await rows.merged_with(session, scope, by_id)
    await _remove(session, scope, sorted({*made, *merged}))


async def _remove(session: AsyncSession, scope: Scope, thoughts: Sequence[int]) -> None:
    if thoughts:
        revived = await rows.revive(session, scope, thoughts)
        await memories.revive_derived(session, scope, revived)
        await memories.erase_derived(session, scope, thoughts)


async def apply(  # noqa: PLR0913  -- one call, plain facts
    session: AsyncSession,
    scope: Scope,
    table: ModelTable,
    plan: Plan,
    members: Sequence[Member],
    *,
    hash_version: int,
    generated_by: str,
    now: datetime,
) -> None:
    """Carry out a plan for active thoughts of a bucket; needs the owner's lock."""
    if plan.forgotten or plan.merged:
        await _replace(session, scope, [*plan.forgotten, *plan.merged])
    if not plan.joined:
        return
    parts = sorted({part for one in plan.joined for part in one.parts})
    vectors = await memories.get_vectors(session, scope, table, SPACE, parts)
    sources = await memories.source_ordinals(session, scope, parts)
    by_ordinal = {one.ordinal: one for one in members}
    drafts = [_draft(one, by_ordinal, sources, generated_by) for one in plan.joined]
    placed = [Placed(hash_version, by_ordinal[one.parts[0]].bucket) for one in plan.joined]
    means = np.stack([_mean(one, vectors) for one in plan.joined])
    made = await store(session, scope, table, drafts, means, placed, now=now, is_organised=True)
    merged = [
        Merging(part, ordinal)
        for one, ordinal in zip(plan.joined, made, strict=True)
        for part in one.parts
    ]
    await _replace(session, scope, merged)


async def _replace(
    session: AsyncSession, scope: Scope, replaced: Sequence[Forgetting | Merging]
) -> None:
    """Make thoughts tombstones, in their own table and among the memories."""
    await rows.replace(session, scope, replaced)
    successors = {
        one.ordinal: one.forgotten_for if isinstance(one, Forgetting) else one.merged_into
        for one in replaced
    }
    await memories.replace_derived(session, scope, successors)


def _mean(joining: Joining, vectors: dict[int, Vectors]) -> Vectors:
    return lsh.mean_direction(np.stack([vectors[part] for part in joining.parts]))


def _draft(
    joining: Joining,
    members: dict[int, Member],
    sources: dict[int, list[int]],
    generated_by: str,
) -> Draft:
    parts = [members[part] for part in joining.parts]
    return Draft(
        text=joining.text or joined_text(joining.head, joining.relation, joining.tails),
        head=joining.head,
        relation=joining.relation,
        tails=joining.tails,
        sources=tuple(sorted({o for part in joining.parts for o in sources.get(part, ())})),
        valid_from=min(part.valid_from for part in parts),
        generated_by=generated_by,
        agent_id=parts[0].agent_id,
    )
