"""The task ``linking.link``: links of new notes, and what they change, without a model."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from app.embeddings.protocol import Vectors
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
from app.tenants.schemas import Scope


async def link(batch: Batch, tools: Tools) -> None:
    """Link the new notes of a batch, and those of restored memories, to the nearest to them."""
    ready = await tools.ready()
    near = await neighbours(
        batch, ready, k=tools.settings.neighbours, least=tools.settings.least_cosine
    )
    hidden = archived(batch)
    if not near and not hidden:
        return
    async with batch.writing() as (session, fresh):
        await rows.reopen(session, batch.scope, hidden)
        asked = {one.ordinal for found in near.values() for one in found} | near.keys()
        held = await rows.held(session, batch.scope, sorted(asked))
        first = await evolutions.last_number(session, batch.scope) + 1
        known = await known_of(session, batch.scope, held, near.keys())
        weaver = Weaver(held, known, tools.settings.neighbours, first)
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


def archived(batch: Batch) -> list[int]:
    """Return the memories of a batch that were archived: once restored, they meet what came."""
    return [memory.ordinal for memory in batch.memories if memory.archived_at is not None]


async def neighbours(
    batch: Batch, ready: Ready, *, k: int, least: float
) -> dict[int, tuple[Near, ...]]:
    """Return by ordinal the nearest notes of those in the batch whose links are to be sought.

    Only notes of the same agent count; the notes of live memories only.
    """
    async with batch.reading() as session:
        scope = batch.scope
        own = await rows.standings(session, scope, [memory.ordinal for memory in batch.live])
        todo = [ordinal for ordinal, note in own.items() if not note.is_linked]
        vectors = await memories.get_vectors(session, scope, ready.table, SPACE, todo)
        if not vectors:
            return {}
        search = Search(session, scope, ready, k, least)
        # Twice as many, for some of other agents that are left out.
        found = await search.among(vectors, wide=2)
        standings = await rows.standings(session, scope, sorted(_named(found)))
        agents = {ordinal: one.agent_id for ordinal, one in standings.items()}
        crowded: dict[str | None, dict[int, Vectors]] = {}
        for ordinal, row in found.items():
            agent_id = own[ordinal].agent_id
            fit = [one for one in row if agents.get(one.ordinal, "") == agent_id]
            if search.may_lack(row, fit):
                crowded.setdefault(agent_id, {})[ordinal] = vectors[ordinal]
            found[ordinal] = fit
        for agent_id, those in crowded.items():
            others = await rows.of_other_agents(session, scope, agent_id)
            found |= await search.among(those, but=others)
    return {
        ordinal: kernel.nearest(row, own=ordinal, k=k, least=least)
        for ordinal, row in found.items()
    }


def _named(found: Mapping[int, Sequence[Near]]) -> set[int]:
    return {one.ordinal for row in found.values() for one in row}


@dataclass(frozen=True, slots=True)
class Search:
    """A search for the notes nearest to some."""

    session: AsyncSession
    scope: Scope
    ready: Ready
    k: int
    least: float

    async def among(
        self, vectors: Mapping[int, Vectors], *, wide: int = 1, but: Sequence[int] = ()
    ) -> dict[int, list[Near]]:
        """Return by ordinal the ``wide`` x k nearest notes to each, itself among them."""
        found = await memories.nearest(
            self.session,
            self.scope,
            self.ready.table,
            SPACE,
            np.stack(list(vectors.values())),
            k=wide * self.k + 1,
            but=but,
        )
        return {ordinal: list(map(_near, row)) for ordinal, row in zip(vectors, found, strict=True)}

    def may_lack(self, found: Sequence[Near], fit: Sequence[Near]) -> bool:
        """Say whether notes of other agents may have kept some of ``fit`` from being found."""
        is_cut_off = len(found) > 2 * self.k and found[-1].cosine >= self.least
        return is_cut_off and len(fit) <= self.k


def _near(found: Neighbour) -> Near:
    # Half precision lets the cosine of equal vectors exceed 1 a little.
    return Near(found.ordinal, min(1.0, found.cosine))


@dataclass(frozen=True, slots=True)
class Known:
    """What is to be known of notes before they are linked."""

    live: frozenset[int]
    """Notes of live memories, of those that are near any of them."""
    settled: frozenset[tuple[int, int]]
    """Pairs, later one first, that are linked already, or whose link a user undid."""


async def known_of(
    session: AsyncSession, scope: Scope, held: Mapping[int, NoteRow], sought: Iterable[int]
) -> Known:
    """Look up what is known of notes; those ``sought`` are to be linked."""
    near = {ordinal for note in held.values() for ordinal in note.neighbours}
    live = await rows.live(session, scope, sorted(near), now=clock.now()) if near else frozenset()
    # A note that never had neighbours never had a link.
    again = [ordinal for ordinal in sought if ordinal in held and held[ordinal].neighbours]
    if not again:
        return Known(live, frozenset())
    linked = await link_rows.pairs(session, scope, again)
    undone = await evolutions.reverted_pairs(session, scope, again)
    return Known(live, frozenset(linked | undone))


@dataclass(slots=True)
class Weaver:
    """Links notes one after the other; what it makes is stored at the end."""

    held: Mapping[int, NoteRow]
    known: Known
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
        new = [one for one in mutual if kernel.ends(ordinal, one.ordinal) not in self.known.settled]
        if new:
            self._strengthen(ordinal, new)

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
        """Return a note's nearest as known now; archived ones take no place among them."""
        if ordinal not in self._near:
            note = self.held[ordinal]
            near = map(Near, note.neighbours, note.cosines)
            self._near[ordinal] = tuple(one for one in near if one.ordinal in self.known.live)
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
