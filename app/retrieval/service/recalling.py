"""Recall: embed the question once, run one statement, weigh what it found."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.database import Database
from app.kit.metrics import stage
from app.kit.settings import RetrievalSettings
from app.memories import service as memories
from app.memories.service import Spaces
from app.retrieval.kernel import dates, grouping
from app.retrieval.kernel.candidates import Candidate
from app.retrieval.kernel.spans import Times
from app.retrieval.repository import filters as filter_rows
from app.retrieval.repository import recall as recall_rows
from app.retrieval.repository.filters import Narrowing
from app.retrieval.repository.recall import DensePath, Search
from app.retrieval.schemas import Recipe
from app.retrieval.service import dated, recipes, sizing, weighing
from app.retrieval.service.asking import Asked, Question, Recalled
from app.retrieval.service.contested import settled, superseded
from app.retrieval.service.dated import Dated
from app.retrieval.service.embedding import embedded
from app.retrieval.service.grouping import grouped
from app.retrieval.service.linked import near_the_best
from app.retrieval.service.staging import Heard, people_names, second_stage
from app.retrieval.service.thoughtful import with_thoughts
from app.retrieval.service.weighing import heeds_votes
from app.tenants import service as tenants
from app.tenants.schemas import LocalSettings, OwnerName, Scope

_PATIENCE_S = 0.05
"""Seconds that a connection may wait for the embedder."""

_ONE_ARM: dict[Recipe, tuple[float, float]] = {"lexical": (1, 0), "dense": (0, 1)}
"""Weights (lexical, dense) of the recipes that use one arm; others fuse as configured."""
_TWO_STAGES = frozenset({"default", "linked", "thoughts", "contiguous", "hierarchical"})
_PLAIN = frozenset({"default", "fused", "lexical", "dense"})
"""Recipes that are one search and no more."""
_NEAR = 30
"""Best of each arm that the second stage looks at, at least."""
_KNOWN_OWNERS = 10_000
"""Owners that a process remembers, so that a recall is one round trip."""


class Recaller:
    """Answers questions: the pool, the embedders and the settings of recall."""

    def __init__(
        self, database: Database, spaces: Spaces, settings: RetrievalSettings, *, timeout_s: float
    ) -> None:
        self._database = database
        self._spaces = spaces
        self._settings = settings
        self._timeout_s = timeout_s
        self._known: dict[tuple[UUID, OwnerName], Scope] = {}
        """What was last seen of owners, the least lately seen first."""

    async def recall(self, question: Question, *, now: datetime) -> Recalled:
        """Return the memories that answer a question, best first; none for an unknown owner."""
        known = self._known.get((question.tenant_id, question.owner))
        embedding = asyncio.create_task(self._embed(question))
        try:
            if known is not None:
                await asyncio.sleep(0)  # the embedder is asked first: it computes while we read on
                if _is_plain(question, _local(known), now) and not heeds_votes(known, question):
                    found = await self._recall_known(known, question, embedding, now)
                    if found is not None:
                        return found
            return await self._recall(question, embedding, now)
        finally:
            embedding.cancel()

    async def _recall_known(
        self, known: Scope, question: Question, embedding: asyncio.Task[Asked], now: datetime
    ) -> Recalled | None:
        """Enter the owner and search in one round trip, by what an earlier recall saw of it.

        ``None`` if the owner turns out to be another, or to want another search, by now.
        """
        asked = await embedding
        search = self._planned(known, question, asked, now)
        reads = (
            tenants.entering(question.tenant_id, question.owner),
            recall_rows.reading(known, search),
        )
        with stage("sql"):
            answers = await self._database.read_in_one_trip(reads)
        scope = tenants.entered(question.tenant_id, answers[0]) if answers else None
        if not answers or scope is None:
            return None
        self._remember(question, scope)
        is_alike = sizing.is_alike(self._settings, asked.table, scope, known)
        if not is_alike or heeds_votes(scope, question):
            return None
        with stage("fuse"):
            local = _local(scope)
            heard = Heard(asked.tokens, Dated(Times(), ZoneInfo(local.time_zone), {}))
            found = recall_rows.candidates(answers[1])
            found = _scored(found, question, local, heard, weighing.wanted(question, local))
            law = weighing.law_of(local, question)
            best = weighing.best(found, law, question, now)
        if any(one.is_contested for one in best):
            return None  # what contradicts them is read in a transaction
        return _recalled(best[: question.limit], {}, question, asked, scope)

    def _remember(self, question: Question, scope: Scope) -> None:
        self._known.pop((question.tenant_id, question.owner), None)
        self._known[question.tenant_id, question.owner] = scope
        if len(self._known) > _KNOWN_OWNERS:
            del self._known[next(iter(self._known))]

    async def _recall(
        self, question: Question, embedding: asyncio.Task[Asked], now: datetime
    ) -> Recalled:
        # The owner is looked up while the embedder computes. An embedder that takes long must not
        # keep a connection from others, though: then the look-up is done again.
        async with self._entered(question) as (session, scope):
            await asyncio.wait({embedding}, timeout=_PATIENCE_S)
            if embedding.done():
                return await self._answer(session, scope, question, embedding.result(), now)
        asked = await embedding
        async with self._entered(question) as (session, scope):
            return await self._answer(session, scope, question, asked, now)

    @asynccontextmanager
    async def _entered(
        self, question: Question
    ) -> AsyncGenerator[tuple[AsyncSession, Scope | None]]:
        async with self._database.transaction() as session:
            yield session, await tenants.enter(session, question.tenant_id, question.owner)

    async def _answer(
        self,
        session: AsyncSession,
        scope: Scope | None,
        question: Question,
        asked: Asked,
        now: datetime,
    ) -> Recalled:
        """Return turns, or the rounds or sessions of the best of more turns than are asked for."""
        most = grouping.depth(question.limit, question.granularity)
        found = await self._turns(session, scope, replace(question, limit=most), asked, now)
        if scope is None or question.granularity == "turn":
            return found
        candidates, turns = await grouped(
            session,
            scope,
            found.candidates,
            question.narrowing,
            granularity=question.granularity,
            limit=question.limit,
            now=now,
        )
        return replace(found, candidates=candidates, turns=turns)

    async def _turns(
        self,
        session: AsyncSession,
        scope: Scope | None,
        question: Question,
        asked: Asked,
        now: datetime,
    ) -> Recalled:
        if scope is None:
            return Recalled([], {}, asked.is_degraded)
        self._remember(question, scope)
        local = _local(scope)
        question = await recipes.within_segments(session, scope, question, asked)
        law = weighing.law_of(local, question)
        with stage("sql"):
            search = self._planned(scope, question, asked, now)
            found = await recall_rows.search(session, scope, search)
            times = _times(question, local, found, now)
            on_days = await self._in_times(session, scope, question, asked, search, times)
            known = [*found, *(on_days or ())]
            when = await dated.dated(session, scope, local, times, known)
            votes = await weighing.learned(session, scope, question, asked, known, now=now)
        with stage("fuse"):
            # With a time asked about a memory may be low in one list and high in the other.
            is_cut = on_days is None and question.recipe != "linked" and not votes
            most = weighing.wanted(question, local) if is_cut else len(found)
            heard = Heard(asked.tokens, when)
            found = _scored(found, question, local, heard, most)
            if question.recipe == "linked" and asked.table is not None:
                found = await near_the_best(session, scope, found, asked.table)
            if on_days is not None:
                there = _scored(on_days, question, local, heard, len(on_days))
                found = dates.prefer(found, when.shared(there), weight=_weight_of_days(times))
        if question.recipe == "thoughts" and asked.vector is not None and asked.table is not None:
            found = await with_thoughts(
                session,
                scope,
                found,
                question.narrowing,
                vector=asked.vector,
                table=asked.table,
                limit=question.limit,
                now=now,
            )
        found = weighing.best(found, law, question, now, votes)
        hits = await settled(session, scope, found, question, local, now)
        hits = await recipes.with_others(session, scope, hits, question, law, now=now)
        kept = [*hits, *await superseded(session, scope, hits, question, local, now)]
        sources = await self._sources(session, scope, question, kept)
        return _recalled(kept, sources, question, asked, scope)

    async def _in_times(
        self,
        session: AsyncSession,
        scope: Scope,
        question: Question,
        asked: Asked,
        search: Search,
        times: Times,
    ) -> Sequence[Candidate] | None:
        """Look once more among the memories of the days asked about, if any are held."""
        if question.recipe in _ONE_ARM or not (times.days or times.spans):
            return None
        local = await tenants.effective_settings(session, scope)
        narrowing = await dated.narrowed(session, scope, local, times, question.narrowing)
        if narrowing is None:
            return None
        narrowed = replace(question, narrowing=narrowing)
        again = self._search(scope, narrowed, asked, search.values["candidates"])
        shared = ("config", "now", "candidates", "near")
        again.values.update({name: search.values[name] for name in shared})
        return await recall_rows.search(session, scope, again)

    async def _embed(self, question: Question) -> Asked:
        """Return the question's vector and its tables, or that the dense arm must be left out."""
        if question.recipe == "lexical":
            return Asked()
        space = await self._spaces.current()
        if space.table is None:
            return Asked()
        if space.embedder is None:
            return Asked(is_degraded=True)
        limit_s = min(self._timeout_s, question.deadline_s or self._timeout_s)
        found = await embedded(space.embedder, question.text, limit_s)
        if found is None or found.vectors.shape[1] != space.table.dimensions:
            return Asked(is_degraded=True)
        tokens = found.tokens[0] if found.tokens else None
        return Asked(found.vectors[0], tokens, space.table)

    def _planned(self, scope: Scope, question: Question, asked: Asked, now: datetime) -> Search:
        """Return the statement of a recall and its values."""
        local = _local(scope)
        search = self._search(scope, question, asked, weighing.wanted(question, local))
        search.values.update(config=local.text_search_config, now=now)
        return search

    def _search(self, scope: Scope, question: Question, asked: Asked, wanted: int) -> Search:
        """Return the statement's values for so many candidates, or for two stages."""
        vector, table = asked.vector, asked.table
        settings = self._settings
        has_two_stages = question.recipe in _TWO_STAGES
        near = max(_NEAR, wanted) if has_two_stages else question.limit
        depth = max(settings.depth, near)
        fused = (settings.lexical_weight, settings.dense_weight)
        lexical_weight, dense_weight = _ONE_ARM.get(question.recipe, fused)
        values: dict[str, Any] = {
            "query": question.text,
            "k1": float(settings.bm25_k1),
            "b": float(settings.bm25_b),
            "depth": depth,
            "lexical_weight": float(lexical_weight),
            "dense_weight": float(dense_weight),
            "rrf_k": float(settings.rrf_k),
            "near": near if has_two_stages else depth,
            "candidates": 2 * near if has_two_stages else wanted,
        }
        is_large = scope.keys >= settings.maxscore_from
        values |= sizing.lexical_values(settings, is_large=is_large, sure=near, depth=depth)
        path: DensePath = "none"
        if vector is not None and table is not None:
            is_narrow = question.narrowing != Narrowing()
            path = sizing.dense_path(settings, scope, table, is_narrow=is_narrow)
            values["vector"] = memories.as_parameter(vector)
            values |= sizing.dense_values(settings, path, scope, table, depth)
        model_id = table.model_id if table else None
        search = Search(
            values,
            path,
            model_id,
            is_large,
            with_tokens=has_two_stages and asked.tokens is not None,
        )
        if question.narrowing.node is not None:
            return replace(search, passing=filter_rows.passing(scope, question.narrowing))
        members = question.narrowing.members()
        return replace(search, values=values | members, narrowed=tuple(members))

    async def _sources(
        self, session: AsyncSession, scope: Scope, question: Question, kept: list[Candidate]
    ) -> dict[int, list[UUID]]:
        if not question.with_sources or not kept:
            return {}
        return await memories.source_episodes(session, scope, [one.ordinal for one in kept])


def _times(
    question: Question, local: LocalSettings, found: Sequence[Candidate], now: datetime
) -> Times:
    """Return the times that a question tells of, as of when it is asked."""
    if question.recipe in _ONE_ARM:
        return Times()
    at = question.narrowing.as_of or now
    return dated.read(question.text, local, names=people_names(found), at=at)


def _weight_of_days(times: Times) -> float:
    return dates.TODAY_WEIGHT if times.from_today else dates.DAY_WEIGHT


def _scored(
    found: Sequence[Candidate], question: Question, local: LocalSettings, heard: Heard, most: int
) -> Sequence[Candidate]:
    """Return the best candidates as the recipe's last stage scores them."""
    if question.recipe not in _TWO_STAGES:
        return found
    return second_stage(found, question.text, local, heard, most=most)


def _local(scope: Scope) -> LocalSettings:
    """Return what holds for an owner that was entered."""
    assert scope.local is not None
    return scope.local


def _is_plain(question: Question, local: LocalSettings, now: datetime) -> bool:
    """Tell whether one search is all that a question asks of the database."""
    return (
        question.recipe in _PLAIN
        and question.narrowing.node is None
        and question.granularity == "turn"
        and not question.with_sources
        and not question.with_superseded
        and not _times(question, local, (), now).is_dated
    )


def _recalled(
    kept: list[Candidate],
    sources: dict[int, list[UUID]],
    question: Question,
    asked: Asked,
    scope: Scope,
) -> Recalled:
    # Where no vector was ever made, the embedder has been away since the first write.
    has_no_vectors = asked.table is None and question.recipe != "lexical" and scope.keys > 0
    return Recalled(kept, sources, asked.is_degraded or has_no_vectors, scope, asked)
