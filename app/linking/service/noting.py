"""The task ``linking.note``: a note for every memory, and its vector."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from app.embeddings.protocol import Vectors
from app.kit import clock, words
from app.linking import prompts
from app.linking.kernel import notes as kernel
from app.linking.kernel.notes import Note
from app.linking.repository import notes as rows
from app.linking.schemas import DETERMINISTIC_NOTE, NewNote
from app.linking.service import undoing, upkeep
from app.linking.service.sources import sources_of
from app.linking.service.tools import SPACE, Ready, Tools, embed
from app.llm.gate import Gate
from app.llm.protocol import LanguageModel, Payer
from app.llm.service import postponing
from app.memories import service as memories
from app.memories.models import Memory
from app.memories.service import Batch


async def note(batch: Batch, tools: Tools) -> None:
    """Write the notes of a batch that are missing, or whose memory was edited."""
    ready = await tools.ready()
    found = await _read(batch, ready)
    if not found.wanted:
        return
    drafts = await _draft(batch, tools, ready, found)
    texts = [
        kernel.text(memory.content, draft.note)
        for memory, draft in zip(found.wanted, drafts, strict=True)
    ]
    vectors = await embed(ready, texts)
    async with batch.writing() as (session, fresh):
        kept = [place for place, draft in enumerate(drafts) if draft.ordinal in fresh]
        now, scope = clock.now(), batch.scope
        anew = [drafts[place].ordinal for place in kept if drafts[place].ordinal in found.digests]
        await undoing.forget(session, scope, anew)
        await upkeep.unlink(session, scope, anew)
        model_id = ready.table.model_id
        await rows.put(session, scope, [drafts[i] for i in kept], model_id=model_id, now=now)
        ordinals = [drafts[place].ordinal for place in kept]
        await memories.put_vectors(session, scope, ready.table, SPACE, ordinals, vectors[kept])


@dataclass(frozen=True, slots=True)
class _Found:
    """What the notes of a batch are made of."""

    wanted: list[Memory]
    digests: Mapping[int, bytes]
    stems: Mapping[int, set[str]]
    frequencies: Mapping[str, int]
    vectors: Mapping[int, Vectors]


async def _read(batch: Batch, ready: Ready) -> _Found:
    live = {memory.ordinal: memory for memory in batch.live}
    async with batch.reading() as session:
        digests = await rows.digests(session, batch.scope, list(live))
        wanted = [one for one in live.values() if digests.get(one.ordinal) != _digest(one)]
        ordinals = [memory.ordinal for memory in wanted]
        if not ordinals:
            return _Found([], digests, {}, {}, {})
        stems = await memories.lexemes(session, batch.scope, ordinals)
        asked = sorted(set().union(*stems.values()))
        frequencies = await memories.document_frequencies(session, batch.scope, asked)
        vectors = await memories.own_vectors(session, batch.scope, ready.table, ordinals)
    return _Found(wanted, digests, stems, frequencies, vectors)


def _digest(memory: Memory) -> bytes:
    return kernel.digest(memory.content, memory.name)


async def _draft(batch: Batch, tools: Tools, ready: Ready, found: _Found) -> list[NewNote]:
    if tools.llm is None:
        return await _deterministic(batch, tools, ready, found)
    return await _asked(batch, tools.llm, found.wanted)


async def _deterministic(batch: Batch, tools: Tools, ready: Ready, found: _Found) -> list[NewNote]:
    algorithm = batch.local.text_search_config
    labels = await _labels(tools, ready, found)
    names = _names(found.wanted, algorithm)
    return [
        _new(
            memory,
            _compose(memory, found, names, labels.get(memory.ordinal, ()), batch),
            category=next(iter(labels.get(memory.ordinal, ())), None),
            generated_by=DETERMINISTIC_NOTE,
        )
        for memory in found.wanted
    ]


async def _labels(tools: Tools, ready: Ready, found: _Found) -> dict[int, tuple[str, ...]]:
    """Return the broad tags of the memories that have a vector of their own."""
    if not found.vectors:
        return {}
    labels = await tools.label_vectors(ready)
    stacked = np.stack(list(found.vectors.values()))
    tags = kernel.tags(stacked, labels, list(kernel.LABELS))
    return dict(zip(found.vectors, tags, strict=True))


def _names(held: Sequence[Memory], algorithm: str) -> frozenset[str]:
    """Return the stems of the speakers' names."""
    spoken = {word.text for memory in held for word in words.words(memory.name or "")}
    return frozenset(words.stem(word, algorithm) for word in spoken)


def _compose(
    memory: Memory, found: _Found, names: frozenset[str], tags: tuple[str, ...], batch: Batch
) -> Note:
    algorithm = batch.local.text_search_config
    stems = found.stems.get(memory.ordinal, set())
    content = memory.content[: kernel.READ_CHARACTERS]
    said = [
        (word.text, words.stem(word.text, algorithm))
        for word in words.content_words(content, stems, algorithm)
    ]
    terms = kernel.counted(said, found.frequencies)
    keywords = kernel.keywords(terms, names, keys=batch.scope.keys)
    sentences = [
        (sentence, len(words.content_words(sentence, stems, algorithm)))
        for sentence in words.sentences(content)
    ]
    # Where no broad tag is near, the most telling keyword stands for one.
    return Note(keywords, tags or keywords[:1], kernel.context(sentences))


def _new(memory: Memory, note: Note, *, category: str | None, generated_by: str) -> NewNote:
    return NewNote(memory.ordinal, memory.agent_id, note, category, generated_by, _digest(memory))


async def _asked(batch: Batch, llm: LanguageModel, wanted: Sequence[Memory]) -> list[NewNote]:
    with postponing():
        return [await _ask(batch, llm, memory) for memory in wanted]


async def _ask(batch: Batch, llm: LanguageModel, memory: Memory) -> NewNote:
    payer = Payer(batch.scope.tenant_id, batch.scope.owner_id)
    said = memories.spoken(memory.content[: kernel.READ_CHARACTERS], memory.name)
    answer = await llm.ask(prompts.note(said), prompts.NoteAnswer, payer=payer)
    gate = Gate(sources_of([memory]), language=batch.local.text_search_config)
    keywords = gate.kept(answer.keywords)[: kernel.MOST_KEYWORDS]
    tags = gate.kept(answer.tags)[: kernel.MOST_TAGS]
    context = gate.supported(answer.context).text or kernel.context([(memory.content, 1)])
    note = Note(tuple(keywords), tuple(tags), context)
    return _new(memory, note, category=next(iter(tags), None), generated_by=f"llm:{llm.model}")
