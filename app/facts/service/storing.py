"""What memories say is kept, retired with its memory, and laid out anew as facts."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import groupby

from sqlalchemy.ext.asyncio import AsyncSession

from app.facts.kernel import timelines
from app.facts.kernel.reading import Claim
from app.facts.kernel.timelines import Observation, Version
from app.facts.models import Fact, FactObservation
from app.facts.repository import facts as fact_rows
from app.facts.repository import observations as rows
from app.facts.schemas import Draft, Group
from app.kit.ids import new_id
from app.kit.statements import aspect, head_key, normalised, relation_key
from app.memories.models import Memory
from app.tenants.schemas import Scope


def group_of(claim: Claim, agent_id: str | None) -> Group:
    """Return what a claim is laid out with: other objects of the relation, or its own alone."""
    relation = relation_key(claim.relation)
    if claim.is_functional:
        respect = aspect(relation, claim.object)
        key = f"{relation}|{respect}" if respect else relation
    else:
        key = f"{relation}|={normalised(claim.object)}"
    return Group(agent_id, head_key(claim.subject), key)


async def observe(
    session: AsyncSession, scope: Scope, memories: Sequence[Memory], drafts: Sequence[Draft]
) -> None:
    """Hold what memories say now; what they said before and say no longer is retired.

    Needs the owner's lock.
    """
    held = await rows.of_memories(session, scope, [one.ordinal for one in memories])
    by_memory: dict[int, list[FactObservation]] = {}
    for one in held:
        by_memory.setdefault(one.memory_ordinal, []).append(one)
    changed: list[FactObservation] = []
    new: list[FactObservation] = []
    for memory in memories:
        said = by_memory.get(memory.ordinal, [])
        wanted = [_observation(one) for one in drafts if one.source == memory.ordinal]
        kept = {_content(one) for one in wanted}
        changed += _retired(said, kept, at=memory.updated_at)
        current = {_content(one) for one in said if one.known_to is None}
        fresh = [one for one in wanted if _content(one) not in current]
        for no, one in enumerate(fresh, len(said) + 1):
            one.no = no
        new += fresh
    await rows.add(session, scope, new)
    await _lay_out(session, scope, [*changed, *new])


def _retired(
    said: Iterable[FactObservation], kept: Collection[object], *, at: datetime
) -> list[FactObservation]:
    gone = [one for one in said if one.known_to is None and _content(one) not in kept]
    for one in gone:
        one.known_to = max(at, one.known_from)
    return gone


def _content(one: FactObservation) -> tuple[object, ...]:
    return (
        one.agent_id,
        one.subject_key,
        one.group_key,
        normalised(one.object),
        one.is_end,
        one.valid_from,
        one.valid_to,
        one.generated_by,
    )


def _observation(draft: Draft) -> FactObservation:
    claim = draft.claim
    group = group_of(claim, draft.agent_id)
    return FactObservation(
        memory_ordinal=draft.source,
        agent_id=draft.agent_id,
        subject=claim.subject,
        relation=claim.relation,
        object=claim.object,
        subject_key=group.subject_key,
        relation_key=relation_key(claim.relation),
        group_key=group.group_key,
        is_functional=claim.is_functional,
        is_end=claim.is_end,
        valid_from=draft.valid_from,
        valid_to=claim.until,
        observed_at=draft.observed_at,
        known_from=draft.known_from,
        known_to=None,
        confidence=draft.confidence,
        generated_by=draft.generated_by,
    )


async def outdated(session: AsyncSession, scope: Scope, changed: Sequence[Memory]) -> None:
    """Retire what memories said before they changed; needs the owner's lock."""
    await observe(session, scope, changed, [])


async def sources_gone(session: AsyncSession, scope: Scope, ordinals: Sequence[int]) -> None:
    """Forget what memories said that are being erased, in their transaction.

    What their facts had ended holds again, as if they had never been.
    """
    said = await rows.of_memories(session, scope, ordinals)
    if said:
        groups = [Group(one.agent_id, one.subject_key, one.group_key) for one in said]
        for one in said:
            session.expunge(one)
        await rows.delete_of(session, scope, ordinals)
        await _lay_out_groups(session, scope, groups)


async def _lay_out(session: AsyncSession, scope: Scope, touched: Sequence[FactObservation]) -> None:
    await session.flush()
    groups = [Group(one.agent_id, one.subject_key, one.group_key) for one in touched]
    await _lay_out_groups(session, scope, groups)


async def _lay_out_groups(session: AsyncSession, scope: Scope, groups: Iterable[Group]) -> None:
    """Compute the facts of groups from all their observations; touch only what differs."""
    asked = list(dict.fromkeys(groups))
    if not asked:
        return
    said = await rows.of_groups(session, scope, asked)
    held = await fact_rows.of_groups(session, scope, asked)
    wanted = {_identity(one): one for group in _grouped(said) for one in _facts(group)}
    kept = {_identity(one) for one in held} & wanted.keys()
    old = [one for one in held if _identity(one) not in kept]
    for one in held:
        if (same := wanted.get(_identity(one))) is not None:
            one.confidence, one.source_ordinals = same.confidence, same.source_ordinals
            one.object, one.known_to = same.object, same.known_to
    await session.flush()
    new = [one for identity, one in wanted.items() if identity not in kept]
    await fact_rows.replace(session, scope, old, sorted(new, key=lambda one: one.known_from))


def _grouped(said: Sequence[FactObservation]) -> list[list[FactObservation]]:
    def key(one: FactObservation) -> tuple[str, str, str]:
        return one.agent_id or "", one.subject_key, one.group_key

    return [list(group) for _, group in groupby(sorted(said, key=key), key)]


def _facts(said: Sequence[FactObservation]) -> list[Fact]:
    observations = [
        Observation(
            source=one.memory_ordinal,
            object=one.object,
            valid_from=one.valid_from,
            valid_to=one.valid_to,
            known_from=one.known_from,
            known_to=one.known_to,
            is_end=one.is_end,
            confidence=one.confidence,
        )
        for one in said
    ]
    by_source = {one.memory_ordinal: one for one in said}
    return [
        _fact(version, by_source[version.stretch.sources[0]])
        for version in timelines.history(observations)
    ]


def _fact(version: Version, first: FactObservation) -> Fact:
    stretch = version.stretch
    return Fact(
        id=new_id(),
        agent_id=first.agent_id,
        subject=first.subject,
        relation=first.relation,
        object=stretch.object,
        subject_key=first.subject_key,
        relation_key=first.relation_key,
        group_key=first.group_key,
        is_functional=first.is_functional,
        valid_from=stretch.valid_from,
        valid_to=stretch.valid_to,
        known_from=version.known_from,
        known_to=version.known_to,
        confidence=stretch.confidence,
        source_ordinals=list(stretch.sources),
        generated_by=first.generated_by,
    )


def _identity(one: Fact) -> tuple[object, ...]:
    return (
        one.agent_id,
        one.subject_key,
        one.group_key,
        one.relation,
        one.subject,
        one.is_functional,
        one.generated_by,
        normalised(one.object),
        one.valid_from,
        one.valid_to,
        one.known_from,
    )
