"""Order in the buckets that changed: forget, merge, join; every other bucket stays as it is."""

import time
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from app.embeddings.service import embedder_awaited
from app.jobs.errors import TaskPostponedError
from app.jobs.protocol import TaskContext
from app.jobs.service import Asides
from app.kit import clock
from app.kit.database import Database
from app.llm.gate import Gate
from app.llm.protocol import LanguageModel, Payer
from app.llm.service import postponing
from app.memories import service as memories
from app.memories.service import ModelTable, OwnerGoneError
from app.tenants import service as tenants
from app.tenants.schemas import Scope
from app.thoughts import prompts
from app.thoughts.kernel import organising as kernel
from app.thoughts.kernel.organising import Forgetting, Joining, Member, Plan
from app.thoughts.prompts import MergeAnswer, OrganiseAnswer
from app.thoughts.repository import rows, search
from app.thoughts.service import hashing, storing
from app.thoughts.service.hashing import Hash
from app.thoughts.service.thinking import Thinker

BY_RULE = "deterministic:buckets"

_BATCH = 128
_MOST = 1_024
"""Thoughts that a task organises before other owners get a turn."""
_SHOWN = 40
"""Thoughts of a bucket that a model is shown."""


@dataclass(frozen=True, slots=True)
class _Round:
    """Some thoughts to be organised, and what lies beside them."""

    hashed: Hash
    fresh: tuple[int, ...]
    members: list[Member]
    near: list[tuple[int, int]]

    @property
    def bucket(self) -> int:
        """The bucket of the first of them."""
        return min(one.bucket for one in self.members if one.ordinal in self.fresh)


@dataclass(frozen=True, slots=True)
class _Organiser:
    """Who decides what is to be done, and in which language it is said."""

    llm: LanguageModel | None
    language: str

    @property
    def name(self) -> str:
        """As what is made is signed."""
        return f"llm:{self.llm.model}" if self.llm else BY_RULE

    async def plan(self, found: _Round, scope: Scope) -> Plan:
        """Return what is to be forgotten, merged and joined."""
        if self.llm is None:
            return kernel.organise(found.members, found.near)
        plan = Plan()
        # What another agent may not see is never shown together.
        for agent_id in sorted({one.agent_id or "" for one in found.members}):
            shown = [one for one in found.members if (one.agent_id or "") == agent_id]
            if len(shown) > 1:
                payer = Payer(scope.tenant_id, scope.owner_id)
                with postponing():
                    asked = prompts.organise(shown)
                    answer = await self.llm.ask(asked, OrganiseAnswer, payer=payer)
                _add(answer, shown, plan, self.language)
        kernel.merge_near(found.members, found.near, plan)
        return plan


async def organise(context: TaskContext, thinker: Thinker) -> None:
    """Bring order into the buckets of an owner that changed since the last time.

    Raises:
        TaskPostponedError: more waits; other owners come first.
    """
    scope = Scope(context.tenant_id, context.required_owner_id())
    language = await _language(context.database, scope)
    if language is None:
        return
    try:
        with embedder_awaited():
            embedder, table = await thinker.work_with()
            await hashing.rebuild(context.database, scope, embedder, table, thinker.settings)
            await _rounds(context, scope, table, _Organiser(thinker.llm, language))
    except OwnerGoneError:
        return


async def _language(database: Database, scope: Scope) -> str | None:
    """Return the stemmer's name of the owner's language; ``None`` where nothing is to be done."""
    async with hashing.owner(database, scope) as session:
        if await rows.latest_hash(session, scope) is None:
            return None
        local = await tenants.effective_settings(session, scope)
        return local.text_search_config if local.policies.mechanisms.thoughts else None


async def _rounds(
    context: TaskContext, scope: Scope, table: ModelTable, organiser: _Organiser
) -> None:
    """Take bucket after bucket; one that fails keeps no other waiting, and fails the attempt."""
    done, asides = 0, Asides[int](OwnerGoneError)
    while not await context.is_cancelled():
        started = time.monotonic()
        found = await _look(context.database, scope, table, organiser.llm, asides.pieces)
        if found is None:
            asides.close(context)
            return
        with asides.trying(found.bucket):
            plan = await organiser.plan(found, scope)
            await _carry_out(context.database, scope, table, found, plan, organiser.name)
            done += len(found.fresh)
        if done >= _MOST:
            msg = f"{done} thoughts done; more wait behind other owners' turns"
            raise TaskPostponedError(msg, retry_in_s=0)
        await memories.give_way(context.database, spent_s=time.monotonic() - started)


async def _look(
    database: Database,
    scope: Scope,
    table: ModelTable,
    llm: LanguageModel | None,
    failed: Collection[int],
) -> _Round | None:
    """Read what is to be organised, and what of its buckets matters to that."""
    async with hashing.owner(database, scope) as session:
        hashed = await hashing.current_hash(session, scope)
        if hashed is None:
            return None
        limit = _SHOWN // 2 if llm else _BATCH
        fresh = await search.fresh(session, scope, hashed.version, limit=limit, but=failed)
        shown: list[int] = []
        if llm:
            fresh, shown = await _of_one_bucket(session, scope, hashed, fresh)
        if not fresh:
            return None
        near = await search.near(session, scope, table.model_id, hashed.version, fresh)
        beside = {ordinal for pair in near for ordinal in pair}.union(shown)
        beside |= set(await search.partners(session, scope, hashed.version, fresh))
        members = await search.members(session, scope, sorted(beside.union(fresh)))
        return _Round(hashed, tuple(fresh), members, near)


async def _of_one_bucket(
    session: AsyncSession, scope: Scope, hashed: Hash, fresh: Sequence[int]
) -> tuple[list[int], list[int]]:
    """Return the fresh thoughts of one bucket, and some of all that lie there, for a model.

    What it answers to one bucket is stored before it is asked about another.
    """
    held = await search.members(session, scope, fresh)
    if not held:
        return [], []
    bucket = min(one.bucket for one in held)
    beside = await search.in_bucket(session, scope, hashed.version, bucket, limit=_SHOWN)
    return [one.ordinal for one in held if one.bucket == bucket], beside


def _add(answer: OrganiseAnswer, shown: list[Member], plan: Plan, language: str) -> None:
    """Add to a plan what a model would do with a bucket, as far as it can be done."""
    members = {one.ordinal: one for one in shown}
    named = Counter(one.id for one in answer.forget)
    named.update(ordinal for one in answer.merge for ordinal in one.ids)
    for one in answer.forget:
        older, newer = members.get(one.id), members.get(one.because)
        if older and newer and named[one.id] == 1 and older.age < newer.age:
            plan.forgotten.append(Forgetting(one.id, one.because, newer.valid_from))
    for merge in answer.merge:
        parts = [members[ordinal] for ordinal in merge.ids if ordinal in members]
        is_whole = len(parts) == len(merge.ids) > 1
        if is_whole and all(named[part.ordinal] == 1 for part in parts):
            plan.joined += _joining(merge, parts, language)


def _joining(merge: MergeAnswer, parts: Sequence[Member], language: str) -> list[Joining]:
    """Return the joined thought, unless it is of two heads, or claims what no part holds."""
    texts = [part.text for part in parts] + [part.head for part in parts]
    words = [merge.text, merge.head, merge.relation, *merge.tails]
    is_one = len({part.circle for part in parts}) == 1
    if not is_one or not merge.tails or not all(word.strip() for word in words):
        return []
    gate = Gate(texts, language=language)
    if any(gate.supported(word).dropped for word in words):
        return []
    ordinals = tuple(part.ordinal for part in parts)
    tails = tuple(" ".join(tail.split()) for tail in merge.tails)
    return [Joining(ordinals, parts[0].head, merge.relation.strip(), tails, merge.text.strip())]


async def _carry_out(
    database: Database,
    scope: Scope,
    table: ModelTable,
    found: _Round,
    plan: Plan,
    generated_by: str,
) -> None:
    """Carry out a plan in one transaction; leave out what changed since it was made."""
    async with hashing.owner(database, scope) as session:
        await hashing.lock(session, scope)
        ordinals = [one.ordinal for one in found.members]
        now_held = {one.ordinal: one for one in await search.members(session, scope, ordinals)}
        same = {one.ordinal for one in found.members if now_held.get(one.ordinal) == one}
        kept, left = kernel.limited(plan, same)
        await storing.apply(
            session,
            scope,
            table,
            kept,
            found.members,
            hash_version=found.hashed.version,
            generated_by=generated_by,
            now=clock.now(),
        )
        done = [ordinal for ordinal in found.fresh if ordinal in same - left]
        await rows.set_organised(session, scope, done)
