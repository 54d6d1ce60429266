"""What is said of a shade: from counts, terms and quotations, or in a model's words."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from app.jobs.service import Asides
from app.kit import clock
from app.memories import service as memories
from app.memories.models import Memory
from app.profiles.kernel import documents, extracts
from app.profiles.kernel.documents import Line, Moment, Shade
from app.profiles.kernel.extracts import Sentence
from app.profiles.repository import shades
from app.profiles.schemas import SHADE
from app.profiles.service import asking, sentences, topics
from app.profiles.service.scopes import Subject

SAMPLE = 200
"""Memories nearest to the centre that a shade's texts are made of."""
MOST_MOMENTS = 50
_MOST_TERMS = 6
_MOST_QUOTES = 4
_MOST_TERM_SOURCES = 50


async def dress(whose: Subject, asides: Asides[UUID | str]) -> None:
    """Make the texts of every shade whose members changed; set those aside that fail."""
    async with whose.reading() as session:
        stale = [one.id for one in await shades.outlines(session, whose.scope) if one.is_stale]
    # Shades share their words, and to count those of a large owner takes long.
    frequency: dict[str, int] = {}
    for shade_id in stale:
        if await whose.context.is_cancelled():
            return
        with asides.trying(shade_id):
            await _dress(whose, shade_id, frequency)


async def _dress(whose: Subject, shade_id: UUID, frequency: dict[str, int]) -> None:
    """Make the texts of a shade; ``frequency`` takes up how many keys hold each stem."""
    async with whose.reading() as session:
        shade = await shades.get(session, whose.scope, shade_id)
        if shade is None:
            return
        members = await shades.members_of(session, whose.scope, shade_id, limit=SAMPLE)
        held = await memories.by_ordinals(
            session, whose.scope, [member.ordinal for member in members]
        )
        read = await sentences.read(session, whose.scope, whose.local, whose.kind, held)
        stems = {stem for sentence in read for stem in sentence.stems}
        asked = sorted(stems - frequency.keys())
        frequency |= await memories.document_frequencies(session, whose.scope, asked)
    before = topics.earlier(shade)
    merged_from = tuple(shade.document.get("merged_from", ()))
    made = await asyncio.to_thread(_described, shade_id, shade.size, held, read, frequency)
    if made is not None and whose.shop.llm is not None:
        order = {member.ordinal: place for place, member in enumerate(members)}
        nearest = sorted(held, key=lambda memory: order[memory.ordinal])[: asking.MOST_SHOWN]
        wording = await asking.wording(whose, whose.shop.llm, nearest, before)
        made = replace(made, wording=wording)
    async with whose.writing() as (session, _):
        stored = await shades.get(session, whose.scope, shade_id)
        if stored is None:
            return
        if made is None:
            await shades.move_members(session, whose.scope, [shade_id], None)
            await shades.drop(session, whose.scope, [shade_id])
            return
        made = replace(made, merged_from=merged_from)
        stored.document = SHADE.dump_python(made, mode="json")
        stored.source_ordinals = sorted(documents.sources_of_shade(made))
        stored.is_stale = False
        stored.updated_at = clock.now()


def _described(
    shade_id: UUID,
    size: int,
    held: Sequence[Memory],
    read: Sequence[Sentence],
    frequency: Mapping[str, int],
) -> Shade | None:
    """Return a shade without a language model; ``None`` without members."""
    if not held:
        return None
    terms = extracts.class_terms(extracts.counted(read), frequency, most=_MOST_TERMS)
    quotes = [read[i] for i in extracts.central(read, _MOST_QUOTES)]
    moments = [
        Moment(one.occurred_at, sentences.first_sentence(one), str(one.id), one.ordinal)
        for one in held
    ]
    times = [memory.occurred_at for memory in held]
    return Shade(
        id=str(shade_id),
        size=size,
        first_at=min(times),
        last_at=max(times),
        terms=tuple(replace(t, sources=t.sources[-_MOST_TERM_SOURCES:]) for t in terms),
        quotes=tuple(Line(one.text, (one.source,)) for one in quotes),
        timeline=documents.spread(moments, MOST_MOMENTS),
    )
