"""The task ``linking.link``: links of new notes, and what they change, without a model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from app.kit import clock
from app.kit.ids import new_id
from app.linking.kernel import links as kernel
from app.linking.kernel.links import Near
from app.linking.models import NoteRow
from app.linking.repository import evolutions
from app.linking.repository import links as link_rows
from app.linking.repository import notes as rows
from app.linking.schemas import DETERMINISTIC_LINK, NewEvolution, NewLink, NoteState
from app.linking.service.tools import SPACE, Ready, Tools
from app.memories import service as memories
from app.memories.service import Batch, Neighbour


async def link(batch: Batch, tools: Tools) -> None:
    """Link the new notes of a batch to the notes nearest to them."""
    ready = await tools.ready()
    near = await neighbours(
        batch, ready, k=tools.settings.neighbours, least=tools.settings.least_cosine
    )
    if not near:
        return
    async with batch.writing() as (session, fresh):
        asked = {one.ordinal for found in near.values() for one in found} | near.keys()
        held = await rows.held(session, batch.scope, sorted(asked))
        first = await evolutions.last_number(session, batch.scope) + 1
        weaver = Weaver(held, tools.settings.neighbours, first)
        for ordinal, found in near.items():
            if ordinal in fresh and ordinal in held:
                weaver.weave(ordinal, found)
        now = clock.now()
        await evolutions.add(session, batch.scope, weaver.evolved, now=now)
        await link_rows.add(session, batch.scope, weaver.made, now=now)
        changed = {one.target: one.after for one in weaver.evolved if one.before != one.after}
        # The vectors stay: tags that came from neighbours would draw the note nearer to them.
        await rows.change(session, batch.scope, changed, model_id=None, now=now)
        await rows.set_near(session, batch.scope, weaver.touched(), linked=weaver.linked)


async def neighbours(
    batch: Batch, ready: Ready, *, k: int, least: float
) -> dict[int, tuple[Near, ...]]:
    """Return by ordinal the nearest notes of those in the batch whose links were not sought yet.

    Only notes of the same agent count; the notes of live memories only.
    """
    async with batch.reading() as session:
        scope = batch.scope
        own = await rows.standings(session, scope, [memory.ordinal for memory in batch.live])
        todo = [ordinal for ordinal, note in own.items() if not note.is_linked]
        vectors = await memories.get_vectors(session, scope, ready.table, SPACE, todo)
        if not vectors:
            return {}
        # Twice as many, for those of other agents that are left out.
        found = await memories.nearest(
            session,
            scope,
            ready.table,
            SPACE,
            np.stack(list(vectors.values())),
            k=2 * k + 1,
        )
        others = {one.ordinal for row in found for one in row}
        standings = await rows.standings(session, scope, sorted(others))
    agents = {ordinal: one.agent_id for ordinal, one in standings.items()}
    return {
        ordinal: kernel.nearest(
            [_near(one) for one in row if agents.get(one.ordinal, "") == own[ordinal].agent_id],
            own=ordinal,
            k=k,
            least=least,
        )
        for ordinal, row in zip(vectors, found, strict=True)
    }


def _near(found: Neighbour) -> Near:
    # Half precision lets the cosine of equal vectors exceed 1 a little.
    return Near(found.ordinal, min(1.0, found.cosine))


@dataclass(slots=True)
class Weaver:
    """Links notes one after the other; what it makes is stored at the end."""

    held: Mapping[int, NoteRow]
    k: int
    next_number: int
    made: list[NewLink] = field(default_factory=list)
    evolved: list[NewEvolution] = field(default_factory=list)
    linked: list[int] = field(default_factory=list)
    _near: dict[int, tuple[Near, ...]] = field(default_factory=dict)
    _states: dict[int, NoteState] = field(default_factory=dict)

    def weave(self, ordinal: int, found: Sequence[Near]) -> None:
        """Link a note to those of its nearest that have it among theirs."""
        present = tuple(one for one in found if one.ordinal in self.held)
        mutual = self.meet(ordinal, present)
        if mutual:
            self._strengthen(ordinal, mutual)

    def meet(self, ordinal: int, found: Sequence[Near]) -> list[Near]:
        """Let a note and its neighbours take notice of each other; return the mutual ones.

        A neighbour that has not had its turn yet will look at this note when it has.
        """
        self._near[ordinal] = tuple(found)
        mutual = []
        for one in found:
            if not self._had_its_turn(one.ordinal):
                continue
            theirs = kernel.with_neighbour(
                self.near_of(one.ordinal), Near(ordinal, one.cosine), k=self.k
            )
            if kernel.is_among(theirs, ordinal):
                self._near[one.ordinal] = theirs
                mutual.append(one)
        self.linked.append(ordinal)
        return mutual

    def near_of(self, ordinal: int) -> tuple[Near, ...]:
        """Return a note's nearest as known now."""
        if ordinal not in self._near:
            note = self.held[ordinal]
            self._near[ordinal] = tuple(map(Near, note.neighbours, note.cosines))
        return self._near[ordinal]

    def touched(self) -> dict[int, tuple[Near, ...]]:
        """Return the nearest of every note that was looked at, by ordinal."""
        return self._near

    def _had_its_turn(self, ordinal: int) -> bool:
        return ordinal in self.linked or self.held[ordinal].is_linked

    def _state(self, ordinal: int) -> NoteState:
        if ordinal not in self._states:
            self._states[ordinal] = NoteState.model_validate(self.held[ordinal])
        return self._states[ordinal]

    def _strengthen(self, ordinal: int, mutual: Sequence[Near]) -> None:
        before = self._state(ordinal)
        others = [self._state(one.ordinal) for one in mutual]
        tags = kernel.strengthened(before.tags, [other.tags for other in others])
        after = before.model_copy(update={"tags": list(tags)})
        number = self.next_number
        self.next_number += 1
        self._states[ordinal] = after
        self.made += [
            NewLink(
                *kernel.ends(ordinal, one.ordinal),
                kind="similar",
                reason=kernel.reason(before.keywords, other.keywords),
                weight=one.cosine,
                generated_by=DETERMINISTIC_LINK,
                evolution_no=number,
            )
            for one, other in zip(mutual, others, strict=True)
        ]
        self.evolved.append(
            NewEvolution(
                number=number,
                id=new_id(),
                trigger=ordinal,
                target=ordinal,
                action="strengthen",
                sources=[ordinal, *(one.ordinal for one in mutual)],
                before=before,
                after=after,
                generated_by=DETERMINISTIC_LINK,
            )
        )
