"""Recall as one would write it without a database: slow, plain, and what the SQL is held to."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.kit.settings import RetrievalSettings
from tests.memories.helpers import Store

Vector = NDArray[np.float64]


@dataclass
class Key:
    """One key of a memory: its stems with their frequencies, and its vector."""

    memory: int
    stems: dict[str, int] = field(default_factory=dict)
    vector: Vector | None = None

    @property
    def length(self) -> int:
        return sum(self.stems.values())


DEFAULTS = RetrievalSettings()


@dataclass(frozen=True)
class Weights:
    """What recall is set to, under short names."""

    k1: float = DEFAULTS.bm25_k1
    b: float = DEFAULTS.bm25_b
    lexical: float = DEFAULTS.lexical_weight
    dense: float = DEFAULTS.dense_weight
    rrf_k: float = DEFAULTS.rrf_k
    depth: int = DEFAULTS.depth


Keys = Mapping[int, Key]
Ranked = list[tuple[int, float]]


async def read_keys(store: Store, user_id: str = "alice") -> dict[int, Key]:
    """Read an owner's keys out of the tables; stems come from the texts, not from postings."""
    scope = await store.scope(user_id)
    keys: dict[int, Key] = {}
    rows = await store.rows(
        "SELECT ordinal, memory_ordinal FROM memory_keys WHERE owner_id = :owner_id",
        owner_id=scope.owner_id,
    )
    for ordinal, memory in rows:
        keys[ordinal] = Key(memory)
    postings = await store.rows(
        "SELECT key_ordinal, lexeme, tf FROM postings WHERE owner_id = :owner_id",
        owner_id=scope.owner_id,
    )
    for ordinal, stem, frequency in postings:
        keys[ordinal].stems[stem] = frequency
    vectors = await store.rows(
        "SELECT key_ordinal, CAST(vector AS text) FROM embeddings_1 WHERE owner_id = :owner_id",
        owner_id=scope.owner_id,
    )
    for ordinal, vector in vectors:
        keys[ordinal].vector = np.array(json.loads(vector), np.float64)
    return keys


async def stems_of(store: Store, query: str, config: str = "english") -> list[str]:
    rows = await store.rows(
        "SELECT lexeme FROM unnest(to_tsvector(CAST(:config AS regconfig), :query))",
        config=config,
        query=query,
    )
    return [row[0] for row in rows]


def bm25(keys: Keys, stems: Sequence[str], weights: Weights) -> dict[int, float]:
    """Return each key's score; keys without any of the stems have none."""
    n = len(keys)
    average = max(sum(key.length for key in keys.values()) / n, 1) if n else 1.0
    df = {stem: sum(stem in key.stems for key in keys.values()) for stem in stems}
    scores: dict[int, float] = {}
    for stem in (stem for stem in stems if df[stem]):
        idf = math.log(1 + (n - df[stem] + 0.5) / (df[stem] + 0.5)) * (weights.k1 + 1)
        for ordinal, key in keys.items():
            if tf := key.stems.get(stem):
                fixed = weights.k1 * (1 - weights.b)
                by_length = weights.k1 * weights.b / average * key.length
                score = idf * tf / (tf + fixed + by_length)
                scores[ordinal] = scores.get(ordinal, 0.0) + score
    # Equal sums may differ in their last bits by the order of their terms.
    return {ordinal: float(np.float32(score)) for ordinal, score in scores.items()}


def distances(keys: Keys, query: Vector) -> dict[int, float]:
    """Return each key's cosine distance."""
    return {
        ordinal: 1 - float(key.vector @ query / np.linalg.norm(key.vector) / np.linalg.norm(query))
        for ordinal, key in keys.items()
        if key.vector is not None
    }


def best(keys: Keys, scores: Mapping[int, float], passes: Callable[[int], bool]) -> Ranked:
    """Return memories by their best key, highest first, ties by ordinal."""
    found: dict[int, float] = {}
    for ordinal, score in scores.items():
        memory = keys[ordinal].memory
        if passes(memory):
            found[memory] = max(found.get(memory, -math.inf), score)
    return sorted(found.items(), key=lambda one: (-one[1], one[0]))


def fuse(lexical: Ranked, dense: Ranked, weights: Weights) -> Ranked:
    """Return memories by their weighted reciprocal ranks, as a share of the best possible."""
    lexical_ranks = {memory: rank for rank, (memory, _) in enumerate(lexical[: weights.depth], 1)}
    dense_ranks = {memory: rank for rank, (memory, _) in enumerate(dense[: weights.depth], 1)}
    scores: dict[int, float] = {}
    for memory in lexical_ranks.keys() | dense_ranks.keys():
        score = 0.0
        if memory in lexical_ranks:
            score += weights.lexical / (weights.rrf_k + lexical_ranks[memory])
        if memory in dense_ranks:
            score += weights.dense / (weights.rrf_k + dense_ranks[memory])
        # In the statement's order: two sums may be equal but for the order of the operations.
        share = score * (weights.rrf_k + 1) / (weights.lexical + weights.dense)
        scores[memory] = min(1.0, share)
    return sorted(scores.items(), key=lambda one: (-one[1], one[0]))


async def recall(
    store: Store,
    query: str,
    *,
    limit: int = 10,
    weights: Weights | None = None,
    passes: Callable[[int], bool] = lambda _: True,
    user_id: str = "alice",
) -> Ranked:
    """Return ordinals and scores of what should be recalled."""
    weights = weights or Weights(depth=max(DEFAULTS.depth, limit))
    keys = await read_keys(store, user_id)
    stems = await stems_of(store, query)
    vector = (await store.embedder.embed_query(query)).astype(np.float16).astype(np.float64)
    lexical = best(keys, bm25(keys, stems, weights), passes)
    nearest = {ordinal: -distance for ordinal, distance in distances(keys, vector).items()}
    dense = best(keys, nearest, passes)
    return fuse(lexical, dense, weights)[:limit]


async def ordinals(store: Store, hits: Sequence[Mapping[str, Any]]) -> list[int]:
    """Return the ordinals of hits."""
    rows = await store.rows(
        "SELECT CAST(id AS text), ordinal FROM memories WHERE tenant_id = :tenant_id",
        tenant_id=store.tenant_id,
    )
    by_id = dict(rows)
    return [by_id[hit["id"]] for hit in hits]
