"""Which buckets an owner's thoughts lie in, and what happens when the hash changes."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from app.embeddings.protocol import Embedder, Vectors
from app.kit.database import Database
from app.kit.settings import ThoughtSettings
from app.kit.statements import head_key, is_functional, relation_key
from app.memories import service as memories
from app.memories.errors import OwnerBusyError
from app.memories.service import ModelTable
from app.tenants.schemas import Scope
from app.thoughts.kernel import lsh
from app.thoughts.models import ThoughtHash
from app.thoughts.repository import rows
from app.thoughts.schemas import SPACE, Placed

_BATCH = 64


class Triple(Protocol):
    """What decides where a thought lies, besides its vector."""

    @property
    def head(self) -> str:
        """Whom or what it is about."""

    @property
    def relation(self) -> str | None:
        """What it says of it."""

    @property
    def tails(self) -> Sequence[str]:
        """Of whom or what."""


@dataclass(frozen=True, slots=True)
class Hash:
    """One version of an owner's buckets."""

    version: int
    model_id: int
    seed: int
    dimensions: int
    buckets: int

    @classmethod
    def of(cls, row: ThoughtHash) -> "Hash":
        """Copy a row."""
        return cls(row.version, row.model_id, row.seed, row.dimensions, row.buckets)

    def place(self, triples: Sequence[Triple], vectors: Vectors) -> list[Placed]:
        """Return where thoughts go; one triple for each vector. Shape of ``vectors``: [n, d]."""
        if not len(vectors):
            return []
        directed = lsh.directions(self.seed, self.dimensions, self.buckets)
        near = lsh.bucket_of(vectors, directed)
        return [
            Placed(self.version, self._bucket(triple, int(bucket)))
            for triple, bucket in zip(triples, near, strict=True)
        ]

    def _bucket(self, triple: Triple, near: int) -> int:
        """Return the bucket of what a triple may end or be ended by, else that of its vector."""
        if triple.relation and is_functional(triple.head, triple.relation, triple.tails):
            keys = head_key(triple.head), relation_key(triple.relation)
            return lsh.group_bucket(*keys, self.buckets)
        return near

    def probes(self, vector: Vectors, count: int | None) -> list[int]:
        """Return the buckets to look into. Shape of ``vector``: [d]."""
        directed = lsh.directions(self.seed, self.dimensions, self.buckets)
        near = lsh.probe_order(vector, directed)[: count or self.usual_probes()]
        return near + lsh.group_buckets(self.buckets)

    def usual_probes(self) -> int:
        """Return how many buckets find nine of ten neighbours: 6 of 16, as a share."""
        return -(-lsh.PROBES * self.buckets // lsh.BUCKETS)


async def current_hash(session: AsyncSession, scope: Scope) -> Hash | None:
    """Return how the owner's thoughts are hashed now; ``None`` before the first thought."""
    row = await rows.latest_hash(session, scope)
    return Hash.of(row) if row else None


async def ensure_hash(
    session: AsyncSession, scope: Scope, table: ModelTable, settings: ThoughtSettings
) -> Hash:
    """Return the hash for a model's vectors; another model, seed or number makes a new version.

    Needs the owner's lock. Thoughts of older versions are moved by :func:`rebuild`.
    """
    held = await current_hash(session, scope)
    wanted = (table.model_id, settings.seed, table.dimensions, settings.buckets)
    if held is not None and (held.model_id, held.seed, held.dimensions, held.buckets) == wanted:
        return held
    made = Hash(held.version + 1 if held else 1, *wanted)
    row = ThoughtHash(
        version=made.version,
        model_id=made.model_id,
        seed=made.seed,
        dimensions=made.dimensions,
        buckets=made.buckets,
    )
    await rows.add_hash(session, scope, row)
    return made


async def rebuild(
    database: Database,
    scope: Scope,
    embedder: Embedder,
    table: ModelTable,
    settings: ThoughtSettings,
) -> None:
    """Move thoughts that lie under an older hash: new vectors where the model is another.

    Raises:
        OwnerGoneError: the owner was erased meanwhile.
    """
    async with owner(database, scope) as session:
        if await rows.latest_hash(session, scope) is None:
            return
        await lock(session, scope)
        made = await ensure_hash(session, scope, table, settings)
    while await _move_some(database, scope, embedder, table, made):
        pass


async def _move_some(
    database: Database, scope: Scope, embedder: Embedder, table: ModelTable, made: Hash
) -> bool:
    async with owner(database, scope) as session:
        moving = await rows.outdated(session, scope, made.version, limit=_BATCH)
        ordinals = [one.memory_ordinal for one in moving]
        if not ordinals:
            await rows.forget_hashes(session, scope, before=made.version)
            return False
        known = await memories.get_vectors(session, scope, table, SPACE, ordinals)
        held = await memories.by_ordinals(session, scope, ordinals)
        texts = {memory.ordinal: memory.content for memory in held}
    missing = [ordinal for ordinal in ordinals if ordinal not in known]
    if missing:
        found = await embedder.embed([texts[ordinal] for ordinal in missing])
        known |= dict(zip(missing, found, strict=True))
    async with owner(database, scope) as session:
        await lock(session, scope)
        vectors = np.stack([known[ordinal] for ordinal in ordinals])
        await memories.put_vectors(session, scope, table, SPACE, ordinals, vectors)
        buckets = [one.bucket for one in made.place(moving, vectors)]
        await rows.rehash(session, scope, made.version, ordinals, buckets)
    return True


def owner(database: Database, scope: Scope) -> AbstractAsyncContextManager[AsyncSession]:
    """Open a transaction that sees the owner."""
    return database.transaction(tenant_id=scope.tenant_id, owner_id=scope.owner_id)


async def lock(session: AsyncSession, scope: Scope) -> None:
    """Make this the owner's only writer until the transaction ends.

    Raises:
        OwnerGoneError: the owner was erased.
    """
    try:
        await memories.lock_owner(session, scope)
    except OwnerBusyError as error:
        raise memories.OwnerGoneError from error


def stacked(vectors: Sequence[Vectors], dimensions: int) -> Vectors:
    """Return vectors [d] as one array [n, d], also where there are none."""
    return np.stack(vectors) if vectors else np.zeros((0, dimensions), np.float32)
