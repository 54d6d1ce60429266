"""Which embedding model recall uses now, and who computes its vectors."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.embeddings.client import HttpEmbedder
from app.embeddings.errors import EmbedderRefusedError
from app.embeddings.protocol import Embedder, TokenBits, Vectors
from app.kit.database import Database
from app.kit.settings import Settings
from app.memories.kernel import Span
from app.memories.models import EmbeddingModel
from app.memories.repository import vectors

CACHE_S = 2.0
"""Seconds a process may go on with a model that is no longer the active one."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What an embedder said of one text: its windows and, were it there, a vector each."""

    windows: tuple[Span, ...]
    vectors: Vectors | None
    tokens: Sequence[TokenBits] | None = None
    """Token bits of each window; ``None``: this embedder gives none."""


@dataclass(frozen=True, slots=True)
class ModelTable:
    """One model's tables: ``embeddings_<model_id>`` and its bits."""

    model_id: int
    name: str
    dimensions: int
    uses_bits: bool
    bits_checked: bool

    @classmethod
    def of(cls, row: EmbeddingModel) -> "ModelTable":
        """Copy what recall needs from a row."""
        checked = row.bit_agreement is not None
        return cls(row.model_id, row.name, row.dimensions, row.uses_bits, checked)


BIT_CHECK_KEYS = 1_500
"""Keys of one owner from which a model's bits can be checked."""


def needs_bit_check(table: ModelTable | None, keys: int) -> bool:
    """Tell whether an owner is large enough to decide about bits that are still undecided."""
    return table is not None and not table.bits_checked and keys >= BIT_CHECK_KEYS


COVER_FROM = 4_096
"""Keys of one owner from which frequent stems are counted in advance."""


def needs_covering(before: int, added: int) -> bool:
    """Tell whether an owner has grown by a sixteenth since its background indexes were extended.

    At a fixed series of sizes, so that no write has to look anything up.
    """
    after = before + added
    if after < COVER_FROM:
        return False
    step = 1 << (after.bit_length() - 5)
    return after // step != before // step


@dataclass(frozen=True, slots=True)
class Space:
    """The vectors that recall compares: their embedder and their tables.

    ``embedder`` is ``None`` when no configured embedder serves the active model; ``table`` is
    ``None`` before the first vector.
    """

    embedder: Embedder | None
    table: ModelTable | None


class Spaces:
    """The configured embedders and the active model, looked up at most every two seconds."""

    def __init__(
        self, database: Database, embedders: Mapping[str, Embedder], *, primary: str
    ) -> None:
        self._database = database
        self._embedders = dict(embedders)
        self._primary = primary
        self._active: ModelTable | None = None
        self._read_at = -CACHE_S

    @classmethod
    def configured(cls, database: Database, settings: Settings, *, primary: Embedder) -> "Spaces":
        """Return the spaces of a process: its embedder, and the next one while models change."""
        embedders = {primary.model: primary}
        if settings.next_embeddings is not None:
            following = HttpEmbedder(settings.next_embeddings)
            embedders.setdefault(following.model, following)
        return cls(database, embedders, primary=primary.model)

    async def current(self) -> Space:
        """Return the space that recall and writes use now."""
        if self._active is None or time.monotonic() - self._read_at > CACHE_S:
            await self._read()
        name = self._active.name if self._active else self._primary
        return Space(self._embedders.get(name), self._active)

    async def table_for(self, space: Space, prepared: Sequence[Prepared]) -> ModelTable | None:
        """Return the tables that prepared vectors go to, made if they are the first ones.

        ``None`` while there are neither tables nor vectors.
        """
        found = next((one.vectors for one in prepared if one.vectors is not None), None)
        if found is None or space.embedder is None:
            return space.table
        return await self.ensure(space.embedder.model, found.shape[1])

    async def ensure(self, name: str, dimensions: int) -> ModelTable:
        """Return a model's tables, made if they are new; the first model is active at once.

        Raises:
            EmbedderRefusedError: the model answers with other dimensions than its tables have.
        """
        table = self._active
        if table is None or table.name != name:
            async with self._database.transaction() as session:
                await vectors.add_model(session, name, dimensions)
                models = await vectors.models(session)
            table = ModelTable.of(next(row for row in models if row.name == name))
            self._read_at = -CACHE_S
        if table.dimensions != dimensions:
            msg = f"{name} has {table.dimensions} dimensions here, yet answered with {dimensions}."
            raise EmbedderRefusedError(msg)
        return table

    def embedder(self, name: str) -> Embedder | None:
        """Return the configured embedder of a model."""
        return self._embedders.get(name)

    def primary(self) -> Embedder:
        """Return the embedder of the first model."""
        return self._embedders[self._primary]

    async def _read(self) -> None:
        async with self._database.transaction() as session:
            row = await vectors.active_model(session)
        self._active = ModelTable.of(row) if row else None
        self._read_at = time.monotonic()

    async def aclose(self) -> None:
        """Close the embedders' connections."""
        for embedder in self._embedders.values():
            await embedder.aclose()
