"""Thoughts of new memories: read by rule or by a model, embedded, put into their buckets."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from app.embeddings.protocol import Embedder, Vectors
from app.embeddings.service import AWAY_S, embedder_awaited
from app.jobs.errors import TaskPostponedError
from app.jobs.protocol import TaskContext
from app.kit import clock, statements
from app.kit.settings import ThoughtSettings
from app.kit.statements import normalised
from app.kit.words import sentences
from app.llm.gate import Gate
from app.llm.protocol import LanguageModel, Payer
from app.llm.service import postponing
from app.memories import service as memories
from app.memories.models import Memory
from app.memories.service import Batch, ModelTable, Spaces
from app.thoughts import prompts
from app.thoughts.prompts import ThinkAnswer, ThoughtAnswer
from app.thoughts.schemas import Draft
from app.thoughts.service import hashing, storing

MECHANISM = "thoughts"
BY_RULE = "deterministic:patterns"
NAMELESS = "User"
"""Who "I" is where the message has no name."""

_SPEAKING_ROLES = (None, "user")
_SPEAKERS = frozenset({"i", "me", "myself", "user", "speaker"})
"""Heads that mean who speaks, whatever a model was told to write."""
_BATCH = 64
"""Memories that are read by rule at a time."""
_TURNS = 12
"""Turns that a model thinks of at a time."""
_LONGEST_READ = 20_000
"""Characters of one memory that are read for thoughts."""


@dataclass(frozen=True, slots=True)
class Thinker:
    """What thinking needs."""

    spaces: Spaces
    llm: LanguageModel | None
    settings: ThoughtSettings

    async def work_with(self) -> tuple[Embedder, ModelTable]:
        """Return the active embedder and its tables.

        Raises:
            TaskPostponedError: the embedder is away.
        """
        space = await self.spaces.current()
        if space.embedder is None:
            msg = "No configured embedder serves the active model."
            raise TaskPostponedError(msg, retry_in_s=AWAY_S)
        if space.table is not None:
            return space.embedder, space.table
        dimensions = int((await space.embedder.embed(["dimensions"])).shape[1])
        return space.embedder, await self.spaces.ensure(space.embedder.model, dimensions)


async def think(context: TaskContext, thinker: Thinker) -> None:
    """Make thoughts of an owner's new memories; those of changed ones are made anew."""

    async def work(batch: Batch) -> None:
        with embedder_awaited(), postponing():
            await _think_of(batch, thinker)

    # What a model was asked is stored before it is asked for more: its answers cost money, and it
    # may go away in between.
    batch = _TURNS if thinker.llm else _BATCH
    await memories.enrich(
        context,
        MECHANISM,
        work,
        is_on=lambda on: on.thoughts,
        batch=batch,
        outdated=storing.outdated,
    )


async def _think_of(batch: Batch, thinker: Thinker) -> None:
    if thinker.llm and batch.live:
        await thinker.work_with()  # before a model is asked for what could not be stored
    drafts = await _drafts(batch, thinker.llm)
    if not drafts:
        async with batch.writing() as (session, fresh):
            await storing.take_back(session, batch.scope, fresh)
        return
    embedder, table = await thinker.work_with()
    vectors = await _vectors(batch, drafts, embedder, table)
    async with batch.writing() as (session, fresh):
        if not await memories.is_active(session, table):
            msg = "The embedding model changed a moment ago."
            raise TaskPostponedError(msg, retry_in_s=1)
        await storing.take_back(session, batch.scope, fresh)
        kept = [n for n, one in enumerate(drafts) if fresh.issuperset(one.sources)]
        if kept:
            await _put(session, batch, thinker, table, [drafts[n] for n in kept], vectors[kept])


async def _put(
    session: AsyncSession,
    batch: Batch,
    thinker: Thinker,
    table: ModelTable,
    drafts: Sequence[Draft],
    vectors: Vectors,
) -> None:
    made = await hashing.ensure_hash(session, batch.scope, table, thinker.settings)
    placed = made.place(drafts, vectors)
    await storing.store(session, batch.scope, table, drafts, vectors, placed, now=clock.now())


async def _vectors(
    batch: Batch, drafts: Sequence[Draft], embedder: Embedder, table: ModelTable
) -> Vectors:
    """Return the vectors of thoughts [n, d]; one that is its whole memory has the memory's own."""
    turns = {memory.ordinal: _turn(memory) for memory in batch.memories}
    whole = [n for n, one in enumerate(drafts) if turns[one.sources[0]] == one.text]
    async with batch.reading() as session:
        asked = [drafts[n].sources[0] for n in whole]
        own = await memories.own_vectors(session, batch.scope, table, asked)
    known = {n: own[drafts[n].sources[0]] for n in whole if drafts[n].sources[0] in own}
    missing = [n for n in range(len(drafts)) if n not in known]
    if missing:
        found = await embedder.embed([drafts[n].text for n in missing])
        known |= dict(zip(missing, found, strict=True))
    return np.stack([known[n] for n in range(len(drafts))])


def _turn(memory: Memory) -> str:
    return memories.spoken(memory.content, memory.name)


async def _drafts(batch: Batch, llm: LanguageModel | None) -> list[Draft]:
    if llm is None:
        language = batch.local.language
        said = [one for one in batch.live if one.role in _SPEAKING_ROLES]
        return [draft for memory in said for draft in read(memory, language)]
    drafts = []
    for turns in _conversations(batch.live):
        drafts += await _asked(llm, turns, batch)
    return drafts


def read(memory: Memory, language: str) -> list[Draft]:
    """Return the thoughts of one memory by rule, each as it was said and by whom."""
    speaker = memory.name or NAMELESS
    said = sentences(memory.content[:_LONGEST_READ])
    found = statements.read(said, speaker=speaker, language=language)
    return [
        Draft(
            text=memories.spoken(one.text, memory.name),
            head=one.head,
            relation=one.relation,
            tails=(one.tail,) if one.tail else (),
            sources=(memory.ordinal,),
            valid_from=memory.occurred_at,
            generated_by=BY_RULE,
            agent_id=memory.agent_id,
        )
        for one in found
    ]


def _conversations(held: Sequence[Memory]) -> list[list[Memory]]:
    """Return memories in runs of one agent and session, of no more than a prompt's turns."""
    runs = [list(run) for _, run in groupby(held, lambda m: (m.agent_id, m.session_id))]
    return [run[at : at + _TURNS] for run in runs for at in range(0, len(run), _TURNS)]


async def _asked(llm: LanguageModel, turns: Sequence[Memory], batch: Batch) -> list[Draft]:
    """Ask a model for the thoughts of some turns; keep what its turn supports."""
    payer = Payer(batch.scope.tenant_id, batch.scope.owner_id)
    by_number = dict(enumerate(turns, 1))
    shown = [(n, _turn(memory)[:_LONGEST_READ]) for n, memory in by_number.items()]
    answer = await llm.ask(prompts.think(shown), ThinkAnswer, payer=payer)
    found = []
    for one in answer.thoughts:
        memory = by_number.get(one.turn)
        if memory is not None and _is_supported(one, memory, batch.local.text_search_config):
            found.append(_draft(one, memory, llm.model))
    return found


def _is_supported(one: ThoughtAnswer, memory: Memory, language: str) -> bool:
    """Tell whether a thought claims nothing that its turn does not hold."""
    words = [one.text, one.head, one.relation, one.tail]
    sources = [_turn(memory), memory.name or NAMELESS]
    if not all(word.strip() for word in words):
        return False
    gate = Gate(sources, language=language)
    return not any(gate.supported(word).dropped for word in words)


def _head(written: str, memory: Memory) -> str:
    head = " ".join(written.split())
    speaks = normalised(head) in _SPEAKERS and memory.role in _SPEAKING_ROLES
    return (memory.name or NAMELESS) if speaks else head


def _draft(one: ThoughtAnswer, memory: Memory, model: str) -> Draft:
    return Draft(
        text=" ".join(one.text.split()),
        head=_head(one.head, memory),
        relation=" ".join(one.relation.split()),
        tails=(" ".join(one.tail.split()),),
        sources=(memory.ordinal,),
        valid_from=memory.occurred_at,
        generated_by=f"llm:{model}",
        agent_id=memory.agent_id,
    )
