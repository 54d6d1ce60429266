"""Facts of new memories: read by rule or by a model, kept with the times they speak of."""

from collections.abc import Sequence
from itertools import groupby

from app.facts import prompts
from app.facts.kernel import reading
from app.facts.kernel.reading import Claim
from app.facts.prompts import FactAnswer, ReadAnswer
from app.facts.schemas import Draft
from app.facts.service import storing
from app.jobs.protocol import TaskContext
from app.kit.statements import is_functional, normalised
from app.kit.words import sentences
from app.llm.gate import Gate
from app.llm.protocol import LanguageModel, Payer
from app.llm.service import postponing
from app.memories import service as memories
from app.memories.models import Memory
from app.memories.service import Batch

MECHANISM = "facts"
BY_RULE = "deterministic:statements"
NAMELESS = "User"
"""Who "I" is where the message has no name."""

_SPEAKING_ROLES = (None, "user")
_SPEAKERS = frozenset({"i", "me", "myself", "user", "speaker"})
_BATCH = 64
_TURNS = 12
_LONGEST_READ = 20_000
_CONFIDENCE_BY_RULE = 0.8
_CONFIDENCE_BY_MODEL = 0.7


async def extract(context: TaskContext, llm: LanguageModel | None) -> None:
    """Read the facts of an owner's new memories; those of changed ones are read anew."""

    async def work(batch: Batch) -> None:
        with postponing():
            drafts = await _drafts(batch, llm)
        async with batch.writing() as (session, fresh):
            held = [one for one in batch.memories if one.ordinal in fresh]
            await storing.observe(session, batch.scope, held, drafts)

    await memories.enrich(
        context,
        MECHANISM,
        work,
        is_on=lambda on: on.facts,
        batch=_TURNS if llm else _BATCH,
        outdated=storing.outdated,
    )


async def _drafts(batch: Batch, llm: LanguageModel | None) -> list[Draft]:
    if llm is None:
        said = [one for one in batch.live if one.role in _SPEAKING_ROLES]
        return [draft for memory in said for draft in read(memory, batch.local.language)]
    drafts = []
    for turns in _conversations(batch.live):
        drafts += await _asked(llm, turns, batch)
    return drafts


def read(memory: Memory, language: str) -> list[Draft]:
    """Return the facts of one memory by rule."""
    said = sentences(memory.content[:_LONGEST_READ])
    found = reading.read(said, speaker=memory.name or NAMELESS, language=language)
    return [_draft(claim, memory, BY_RULE, _CONFIDENCE_BY_RULE) for claim in found]


def _draft(claim: Claim, memory: Memory, generated_by: str, confidence: float) -> Draft:
    valid_from = claim.since or memory.occurred_at
    if claim.until is not None and claim.until <= valid_from:
        # "Until 2018 I lived there", said later: when it began nobody says.
        claim = Claim(claim.subject, claim.relation, claim.object, claim.is_functional, is_end=True)
    return Draft(
        claim=claim,
        source=memory.ordinal,
        agent_id=memory.agent_id,
        valid_from=valid_from,
        observed_at=memory.occurred_at,
        known_from=memory.updated_at,
        confidence=confidence,
        generated_by=generated_by,
    )


def _conversations(held: Sequence[Memory]) -> list[list[Memory]]:
    """Return memories in runs of one agent and session, of no more than a prompt's turns."""
    runs = [list(run) for _, run in groupby(held, lambda m: (m.agent_id, m.session_id))]
    return [run[at : at + _TURNS] for run in runs for at in range(0, len(run), _TURNS)]


async def _asked(llm: LanguageModel, turns: Sequence[Memory], batch: Batch) -> list[Draft]:
    """Ask a model for the facts of some turns; keep what its turn supports."""
    payer = Payer(batch.scope.tenant_id, batch.scope.owner_id)
    by_number = dict(enumerate(turns, 1))
    shown = [(n, _turn(memory)[:_LONGEST_READ]) for n, memory in by_number.items()]
    answer = await llm.ask(prompts.read(shown), ReadAnswer, payer=payer)
    found: dict[tuple[int, Claim], Draft] = {}
    for one in answer.facts:
        memory = by_number.get(one.turn)
        if memory is None or not _is_supported(one, memory, batch.local.text_search_config):
            continue
        claim = _claim(one, memory)
        draft = _draft(claim, memory, f"llm:{llm.model}", _CONFIDENCE_BY_MODEL)
        found.setdefault((memory.ordinal, claim), draft)
    return list(found.values())


def _turn(memory: Memory) -> str:
    return memories.spoken(memory.content, memory.name)


def _is_supported(one: FactAnswer, memory: Memory, language: str) -> bool:
    """Tell whether a fact claims nothing that its turn does not hold."""
    words = [one.subject, one.relation, one.object]
    if not all(word.strip() for word in words):
        return False
    gate = Gate([_turn(memory), memory.name or NAMELESS], language=language)
    return not any(gate.supported(word).dropped for word in words)


def _claim(one: FactAnswer, memory: Memory) -> Claim:
    """Return a model's fact; its time is read by rule in the sentence that it names, if it is said.

    A time that a model writes is one more thing that it could make up.
    """
    subject, relation, object_ = (
        " ".join(text.split()) for text in (one.subject, one.relation, one.object)
    )
    if normalised(subject) in _SPEAKERS and memory.role in _SPEAKING_ROLES:
        subject = memory.name or NAMELESS
    is_single = one.single or is_functional(subject, relation, [object_])
    sentence = one.sentence if one.sentence.strip() in memory.content else ""
    claim = reading.timed((subject, relation, object_, is_single), sentence)
    if not one.ended:
        return claim
    return Claim(subject, relation, object_, is_single, is_end=True, since=claim.since)
