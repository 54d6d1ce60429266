"""New memories compared with what was said before: what they replace, what they deny.

Statements about somebody named are compared with those that name the same; what a speaker denies
ever to have done, with what holds the same words; and facts of one relation with one another.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import pairwise

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from app.embeddings.protocol import Embedder, Vectors
from app.embeddings.service import AWAY_S, embedder_awaited
from app.facts.kernel import contrasts, timelines
from app.facts.kernel.contrasts import Statement
from app.facts.kernel.timelines import Observation
from app.facts.repository import conflicts as rows
from app.facts.repository import observations as observation_rows
from app.facts.schemas import Detector, Group, Named, Pair
from app.jobs.errors import TaskPostponedError
from app.jobs.protocol import TaskContext
from app.kit import clock, words
from app.kit.ids import new_id
from app.memories import service as memories
from app.memories.models import Memory
from app.memories.service import Batch, ModelTable, Spaces
from app.tenants.schemas import Scope

MECHANISM = "conflicts"

_BATCH = 32
_SPEAKING_ROLES = (None, "user")
_NAMED_ALIKE = 50
"""Other statements of each name that are looked at."""
_HOLDING = 12
_POSTINGS = 2_000
_DENIALS = 50
"""Of an owner, the latest."""
_PARTNERS = 3
"""Memories that one denial, or one memory denied, contradicts at most."""
_MOST = 8
"""Conflicts of one memory, at most."""
_LEAST_DENIED = 0.85
"""Share of the words + cosine from which a memory says what another denies."""
_LEAST_SHARED = 0.3
_FACT_SENTENCES = 2
"""A longer memory says more than the fact that has ended."""
_FACT_SCORE = 1.5
_LONGEST_READ = 20_000


@dataclass(slots=True)
class _Read:
    """What of a batch's memories is compared."""

    statements: dict[int, Statement] = field(default_factory=dict)
    denials: dict[int, list[tuple[str, frozenset[str]]]] = field(default_factory=dict)
    """Clauses with their stems."""
    denied: dict[int, list[tuple[Named, float]]] = field(default_factory=dict)
    """What other memories deny and these say, with the share of the words that they hold."""

    def clauses(self) -> list[str]:
        """Return all that is denied, once each."""
        own = [clause for found in self.denials.values() for clause, _ in found]
        others = [one.clause for found in self.denied.values() for one, _ in found]
        return list(dict.fromkeys([*own, *others]))


async def compare(context: TaskContext, spaces: Spaces) -> None:
    """Find what an owner's new memories contradict; what changed is compared anew."""

    async def work(batch: Batch) -> None:
        with embedder_awaited():
            await _compare(batch, spaces)

    await memories.enrich(
        context, MECHANISM, work, is_on=lambda on: on.conflicts, batch=_BATCH, outdated=outdated
    )


async def _compare(batch: Batch, spaces: Spaces) -> None:
    read = _read(batch)
    await _read_denied(batch, read)
    clauses = read.clauses()
    embedder, table = await _embedder(spaces) if read.statements or clauses else (None, None)
    by_clause: dict[str, Vectors] = {}
    if embedder is not None and clauses:
        by_clause = dict(zip(clauses, await embedder.embed(clauses), strict=True))
    async with batch.writing() as (session, fresh):
        held = [one for one in batch.memories if one.ordinal in fresh]
        await _hold(session, batch, held, read)
        live = [one for one in held if one.archived_at is None]
        pairs: dict[tuple[int, int], Pair] = {}
        for memory in live:
            found = await _facts(session, batch, memory)
            if table is not None and memory.ordinal in read.statements:
                found += await _statements(session, batch, memory, read, table)
            if table is not None and memory.ordinal in read.denials:
                found += await _denied(session, batch, memory, read, by_clause, table)
            if table is not None and memory.ordinal in read.denied:
                found += await _denying(session, batch, memory, read, by_clause, table)
            best = sorted(found, key=lambda one: (-one.score, one.older, one.newer))[:_MOST]
            for one in best:
                pairs.setdefault((one.older, one.newer), one)
        wanted = sorted(pairs.values(), key=lambda one: (one.newer, one.older))
        ids = [new_id() for _ in wanted]
        ordinals = [one.ordinal for one in held]
        await rows.keep(session, batch.scope, ordinals, wanted, ids, now=clock.now())


async def outdated(session: AsyncSession, scope: Scope, changed: Sequence[Memory]) -> None:
    """Take back what was found of memories as they were; needs the owner's lock."""
    ordinals = [memory.ordinal for memory in changed]
    await rows.name(session, scope, dict.fromkeys(ordinals, ()))
    await rows.deny(session, scope, dict.fromkeys(ordinals, ()))
    await rows.keep(session, scope, ordinals, [], [], now=clock.now())


async def _hold(session: AsyncSession, batch: Batch, held: Sequence[Memory], read: _Read) -> None:
    named = {one.ordinal: sorted(_names(read.statements.get(one.ordinal))) for one in held}
    denied = {
        one.ordinal: [
            (clause, sorted(stems)) for clause, stems in read.denials.get(one.ordinal, ())
        ]
        for one in held
    }
    if held:
        await rows.name(session, batch.scope, named)
        await rows.deny(session, batch.scope, denied)


def _names(statement: Statement | None) -> frozenset[str]:
    return statement.names if statement is not None else frozenset()


def _read(batch: Batch) -> _Read:
    read = _Read()
    if batch.local.language != "en":
        return read
    for memory in batch.live:
        found = _statement(memory)
        if found is not None:
            read.statements[memory.ordinal] = found
        if memory.role in _SPEAKING_ROLES:
            clauses = contrasts.denials(memory.content[:_LONGEST_READ])
            if clauses:
                read.denials[memory.ordinal] = [(one, _stems(one)) for one in clauses[:_PARTNERS]]
    return read


def _statement(memory: Memory) -> Statement | None:
    return contrasts.statement(memory.content, _stem) if len(memory.content) <= 1_000 else None


_stem = partial(words.stem, algorithm="english")


@lru_cache(maxsize=2_000)
def _stems(text: str) -> frozenset[str]:
    return frozenset(_stem(word.text) for word in words.words(text))


async def _embedder(spaces: Spaces) -> tuple[Embedder, ModelTable]:
    space = await spaces.current()
    if space.embedder is None or space.table is None:
        msg = "No configured embedder serves the active model."
        raise TaskPostponedError(msg, retry_in_s=AWAY_S)
    return space.embedder, space.table


def _pair(one: Memory, other: Memory, detector: Detector, score: float) -> Pair:
    older, newer = sorted((one, other), key=_age)
    return Pair(older.ordinal, newer.ordinal, detector, round(score, 4))


def _age(memory: Memory) -> tuple[object, int]:
    return memory.occurred_at, memory.ordinal


async def _statements(
    session: AsyncSession, batch: Batch, memory: Memory, read: _Read, table: ModelTable
) -> list[Pair]:
    """Compare a statement with all that name one of the same."""
    own = read.statements[memory.ordinal]
    near = await rows.named_alike(
        session, batch.scope, memory.ordinal, sorted(own.names), limit=_NAMED_ALIKE
    )
    others = await _of_agent(session, batch, near, memory)
    cosines = await _cosines(session, batch, table, memory, others)
    if not cosines:
        return []
    found = []
    for other in others:
        said = _statement(other)
        if said is None or other.ordinal not in cosines:
            continue
        is_later = _age(memory) > _age(other)
        newer, older = (own, said) if is_later else (said, own)
        before = [cosines[one.ordinal] for one in others
                  if one.ordinal in cosines and (_age(one) < _age(memory)) == is_later]  # fmt: skip
        score = contrasts.replaces(
            newer,
            older,
            cosines[other.ordinal],
            is_nearest=cosines[other.ordinal] >= max(before),
        )
        if score >= contrasts.WEAK:
            found.append(_pair(memory, other, "statement", score))
    return found


async def _of_agent(
    session: AsyncSession, batch: Batch, ordinals: Iterable[int], memory: Memory
) -> list[Memory]:
    """Return live verbatim memories of the same agent."""
    held = await memories.by_ordinals(session, batch.scope, list(ordinals))
    return [
        one
        for one in held
        if one.archived_at is None
        and one.generated_by is None
        and one.infer
        and one.agent_id == memory.agent_id
    ]


async def _cosines(
    session: AsyncSession,
    batch: Batch,
    table: ModelTable,
    memory: Memory,
    others: Sequence[Memory],
) -> dict[int, float]:
    asked = [memory.ordinal, *(one.ordinal for one in others)]
    vectors = await memories.own_vectors(session, batch.scope, table, asked)
    own = vectors.pop(memory.ordinal, None)
    return {} if own is None else {n: _cosine(own, one) for n, one in vectors.items()}


def _cosine(one: Vectors, other: Vectors) -> float:
    norms = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / norms if norms else 0.0


async def _denied(
    session: AsyncSession,
    batch: Batch,
    memory: Memory,
    read: _Read,
    by_clause: dict[str, Vectors],
    table: ModelTable,
) -> list[Pair]:
    """Find who said what a memory denies."""
    found = []
    for clause, stems in read.denials[memory.ordinal]:
        weights = await _weights(session, batch, stems)
        whole = sum(weights.values())
        if not whole:
            continue
        held = await rows.holding(
            session, batch.scope, memory.ordinal, weights, limit=_HOLDING, budget=_POSTINGS
        )
        others = [
            one
            for one in await _of_agent(session, batch, held, memory)
            if _is_same_speaker(one, memory)
            and not contrasts.denials(one.content[:_LONGEST_READ])
        ]  # fmt: skip
        vectors = await memories.own_vectors(
            session, batch.scope, table, [one.ordinal for one in others]
        )
        scored = [
            (held[one.ordinal] / whole, _cosine(by_clause[clause], vectors[one.ordinal]), one)
            for one in others
            if one.ordinal in vectors
        ]
        best = [
            (shared + cosine, one)
            for shared, cosine, one in scored
            if shared >= _LEAST_SHARED and shared + cosine >= _LEAST_DENIED
        ]
        best.sort(key=lambda one: (-one[0], one[1].ordinal))
        found += [
            _pair(memory, other, "denial", score - _LEAST_DENIED)
            for score, other in best[:_PARTNERS]
        ]
    return found


async def _read_denied(batch: Batch, read: _Read) -> None:
    """Note which memories say what others deny, as far as their words tell."""
    said = [
        one for one in batch.live if one.role in _SPEAKING_ROLES and one.ordinal not in read.denials
    ]
    if not said or batch.local.language != "en":
        return
    async with batch.reading() as session:
        denials = await rows.denials(session, batch.scope, limit=_DENIALS)
        stems = frozenset[str]().union(*(one.stems for one in denials))
        weights = await _weights(session, batch, stems) if denials else {}
    for memory in said:
        held = _stems(memory.content[:_LONGEST_READ])
        shares = [
            (one, contrasts.share(one.stems, held, lambda stem: weights.get(stem, 0.0)))
            for one in denials
            if one.ordinal != memory.ordinal
        ]
        found = [(one, share) for one, share in shares if share >= _LEAST_SHARED]
        if found:
            read.denied[memory.ordinal] = found


async def _denying(
    session: AsyncSession,
    batch: Batch,
    memory: Memory,
    read: _Read,
    by_clause: dict[str, Vectors],
    table: ModelTable,
) -> list[Pair]:
    """Find who denied before what a memory says."""
    vectors = await memories.own_vectors(session, batch.scope, table, [memory.ordinal])
    own = vectors.get(memory.ordinal)
    if own is None:
        return []
    found = read.denied[memory.ordinal]
    others = await _of_agent(session, batch, (one.ordinal for one, _ in found), memory)
    speaks = {one.ordinal: one for one in others if _is_same_speaker(one, memory)}
    scored = [
        (share + _cosine(own, by_clause[one.clause]), one.ordinal)
        for one, share in found
        if one.ordinal in speaks
    ]
    scored.sort(key=lambda one: (-one[0], one[1]))
    return [
        _pair(memory, speaks[ordinal], "denial", score - _LEAST_DENIED)
        for score, ordinal in scored[:_PARTNERS]
        if score >= _LEAST_DENIED
    ]


def _is_same_speaker(one: Memory, other: Memory) -> bool:
    return one.role == other.role and one.name == other.name


async def _weights(session: AsyncSession, batch: Batch, stems: frozenset[str]) -> dict[str, float]:
    """Return the weight of each stem that the owner's keys hold: rare ones weigh more."""
    counts = await memories.document_frequencies(session, batch.scope, sorted(stems))
    keys = max(batch.scope.keys, 1)
    return {
        stem: math.log(1 + (keys - count + 0.5) / (count + 0.5))
        for stem, count in sorted(counts.items())
        if count
    }


async def _facts(session: AsyncSession, batch: Batch, memory: Memory) -> list[Pair]:
    """Find whose fact the facts of a memory have ended, or which have ended its own."""
    said = await observation_rows.of_memories(session, batch.scope, [memory.ordinal])
    groups = [
        Group(one.agent_id, one.subject_key, one.group_key)
        for one in said
        if one.is_functional and one.known_to is None
    ]
    if not groups:
        return []
    beside = await observation_rows.of_groups(session, batch.scope, list(dict.fromkeys(groups)))
    by_group: dict[Group, list[Observation]] = {}
    for one in beside:
        if one.known_to is None and one.valid_to is None and not one.is_end:
            group = Group(one.agent_id, one.subject_key, one.group_key)
            by_group.setdefault(group, []).append(
                Observation(
                    one.memory_ordinal, one.object, one.valid_from, None, one.known_from, None
                )
            )
    ended = {
        (older, newer.sources[0])
        for observations in by_group.values()
        for before, newer in pairwise(timelines.layout(observations[-timelines.MOST :]))
        for older in before.sources
        if memory.ordinal in (older, newer.sources[0]) and older != newer.sources[0]
    }
    asked = sorted({ordinal for pair in ended for ordinal in pair})
    held = {one.ordinal: one for one in await _of_agent(session, batch, asked, memory)}
    return [
        _pair(held[older], held[newer], "fact", _FACT_SCORE)
        for older, newer in sorted(ended)
        if older in held
        and newer in held
        and len(words.sentences(held[older].content)) <= _FACT_SENTENCES
    ]
