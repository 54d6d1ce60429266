"""Recall: embed the question once, run one statement, weigh what it found."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.embeddings.errors import EmbedderError
from app.embeddings.protocol import Embedder, Vectors
from app.kit.database import Database
from app.kit.metrics import stage
from app.kit.settings import RetrievalSettings
from app.memories import service as memories
from app.memories.service import ModelTable, Spaces
from app.retrieval.errors import InvalidFilterError
from app.retrieval.kernel import filters, scoring
from app.retrieval.kernel.candidates import Candidate
from app.retrieval.repository import filters as filter_rows
from app.retrieval.repository import recall as recall_rows
from app.retrieval.repository.filters import Narrowing
from app.retrieval.repository.recall import DensePath, Search
from app.retrieval.schemas import Recipe
from app.tenants import service as tenants
from app.tenants.schemas import OwnerName, Scope

_ONE_ARM: dict[Recipe, tuple[float, float]] = {"lexical": (1, 0), "dense": (0, 1)}
"""Weights (lexical, dense) of the recipes that use one arm; others fuse as configured."""


@dataclass(frozen=True, slots=True)
class Question:
    """One recall, checked."""

    tenant_id: UUID
    owner: OwnerName
    text: str
    limit: int
    narrowing: Narrowing
    recipe: Recipe = "default"
    min_score: float = 0
    deadline_s: float | None = None
    with_sources: bool = False


@dataclass(frozen=True, slots=True)
class Recalled:
    """What a recall found."""

    candidates: list[Candidate]
    sources: dict[int, list[UUID]]
    is_degraded: bool
    """The dense arm was wanted but its embedder was away or too slow."""


class Recaller:
    """Answers questions: the pool, the embedders and the settings of recall."""

    def __init__(
        self, database: Database, spaces: Spaces, settings: RetrievalSettings, *, timeout_s: float
    ) -> None:
        self._database = database
        self._spaces = spaces
        self._settings = settings
        self._timeout_s = timeout_s

    async def recall(self, question: Question, *, now: datetime) -> Recalled:
        """Return the memories that answer a question, best first; none for an unknown owner."""
        vector, table, is_degraded = await self._embed(question)
        async with self._database.transaction() as session:
            scope = await tenants.enter(session, question.tenant_id, question.owner)
            if scope is None:
                return Recalled([], {}, is_degraded)
            config = (await tenants.effective_settings(session, scope)).text_search_config
            search = self._search(scope, question, vector, table)
            search.values.update(config=config, now=now)
            with stage("sql"):
                found = await recall_rows.search(session, scope, search)
            with stage("fuse"):
                kept = [one for one in scoring.weigh(found) if _counts(one, question)]
            sources = await self._sources(session, scope, question, kept)
        # Where no vector was ever made, the embedder has been away since the first write.
        has_no_vectors = table is None and question.recipe != "lexical" and scope.keys > 0
        return Recalled(kept[: question.limit], sources, is_degraded or has_no_vectors)

    async def _embed(self, question: Question) -> tuple[Vectors | None, ModelTable | None, bool]:
        """Return the question's vector and its tables, or that the dense arm must be left out."""
        if question.recipe == "lexical":
            return None, None, False
        space = await self._spaces.current()
        if space.table is None:
            return None, None, False
        if space.embedder is None:
            return None, None, True
        limit_s = min(self._timeout_s, question.deadline_s or self._timeout_s)
        vector = await _embedded(space.embedder, question.text, limit_s)
        if vector is None or len(vector) != space.table.dimensions:
            return None, None, True
        return vector, space.table, False

    def _search(
        self, scope: Scope, question: Question, vector: Vectors | None, table: ModelTable | None
    ) -> Search:
        settings = self._settings
        depth = max(settings.depth, question.limit)
        fused = (settings.lexical_weight, settings.dense_weight)
        lexical_weight, dense_weight = _ONE_ARM.get(question.recipe, fused)
        values: dict[str, Any] = {
            "query": question.text,
            "k1": settings.bm25_k1,
            "b": settings.bm25_b,
            "budget": settings.posting_budget,
            "lexical_keys": max(300, 2 * depth),
            "depth": depth,
            "lexical_weight": lexical_weight,
            "dense_weight": dense_weight,
            "rrf_k": settings.rrf_k,
            "candidates": question.limit,
        }
        path: DensePath = "none"
        if vector is not None and table is not None:
            path = self._dense_path(scope, table)
            values["vector"] = memories.as_parameter(vector)
            values["dense_keys"] = 2 * depth
            if path == "bits":
                values["bit_candidates"] = max(settings.bit_candidates, 2 * depth)
        narrowed = not question.narrowing.is_empty()
        passing = filter_rows.passing(scope, question.narrowing) if narrowed else None
        return Search(values, path, table.model_id if table else None, passing)

    def _dense_path(self, scope: Scope, table: ModelTable) -> DensePath:
        is_large = scope.keys >= self._settings.exact_below
        return "bits" if is_large and table.uses_bits else "exact"

    async def _sources(
        self, session: AsyncSession, scope: Scope, question: Question, kept: list[Candidate]
    ) -> dict[int, list[UUID]]:
        if not question.with_sources or not kept:
            return {}
        return await memories.source_episodes(session, scope, [one.ordinal for one in kept])


def _counts(one: Candidate, question: Question) -> bool:
    """Leave out what scores too little, and what only an arm without weight has found."""
    return one.score > 0 and one.score >= question.min_score


async def _embedded(embedder: Embedder, text: str, limit_s: float) -> Vectors | None:
    try:
        async with asyncio.timeout(limit_s):
            with stage("embed"):
                return await embedder.embed_query(text)
    except (EmbedderError, TimeoutError):
        return None


def parse_filters(tree: dict[str, Any] | None) -> filters.FilterNode | None:
    """Return a request's filter.

    Raises:
        InvalidFilterError: with the path of the offending node.
    """
    if tree is None:
        return None
    try:
        return filters.parse(tree)
    except filters.FilterError as error:
        msg = f"{error.path}: {error.reason}."
        raise InvalidFilterError(msg, path=error.path) from error
