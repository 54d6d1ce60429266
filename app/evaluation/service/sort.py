"""SORT: whether a service knows which of two segments of a text came first.

Source: Sequence Order Recall Tasks, arXiv:2410.08133. Deviation: the service answers from where the
segments stand in its memory; no language model is asked.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np

from app.evaluation.kernel import sort as kernel
from app.evaluation.kernel.sort import Excerpt, Pair
from app.evaluation.protocol import Api, Json
from app.evaluation.service.storing import store, temporary_user

_BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
_SEED = 2410_08133


class Cell(NamedTuple):
    """Length of the excerpts and of the segments, and the bin of distances."""

    excerpt: int
    segment: int
    bin: int


class Score(NamedTuple):
    """How many pairs of a cell were put in order; one without an answer counts as a half."""

    right: float
    n: int

    @property
    def accuracy(self) -> float:
        """The share that was right."""
        return self.right / self.n if self.n else 0.0


@dataclass(frozen=True, slots=True)
class Sort:
    """How the suite is run."""

    api: Api
    excerpts: int = 1
    """Drawn of each book and length."""
    per_bin: int = 2
    """Pairs of each excerpt, segment length and bin."""
    is_ordered: bool = True
    """False: the memories are stored at random and at one time, so that order is forgotten."""

    async def run(
        self, books: Mapping[str, Sequence[str]], lengths: Sequence[int] = kernel.EXCERPTS
    ) -> dict[Cell, Score]:
        """Return the scores of all cells over all books."""
        right: dict[Cell, list[float]] = defaultdict(list)
        for number, (book, words) in enumerate(sorted(books.items())):
            for length in lengths:
                generator = np.random.default_rng((_SEED, number, length))
                for _ in range(self.excerpts):
                    excerpt = kernel.excerpt_of(book, words, length, generator)
                    if excerpt is not None:
                        await self._excerpt(excerpt, generator, right)
        return {cell: Score(sum(marks), len(marks)) for cell, marks in sorted(right.items())}

    async def _excerpt(
        self, excerpt: Excerpt, generator: np.random.Generator, right: dict[Cell, list[float]]
    ) -> None:
        async with temporary_user(self.api) as user:
            texts = kernel.chunks(excerpt)
            if not self.is_ordered:
                texts = [texts[place] for place in generator.permutation(len(texts)).tolist()]
            await store(self.api, user, [self._item(*one) for one in enumerate(texts)])
            for segment in kernel.SEGMENTS:
                for pair in kernel.pairs(excerpt, segment, self.per_bin, generator):
                    mark = await self._mark(user, pair)
                    if mark is not None:
                        right[Cell(len(excerpt.words), segment, pair.bin)].append(mark)

    def _item(self, number: int, text: str) -> Json:
        minutes = number if self.is_ordered else 0
        item = {
            "content": text,
            "occurred_at": (_BEGIN + timedelta(minutes=minutes)).isoformat(),
        }
        return {**item, "session_id": "text"}

    async def _mark(self, user: str, pair: Pair) -> float | None:
        body = {"user_id": user, "a": pair.a, "b": pair.b}
        answer = await self.api.call("POST", "/v1/order", body)
        if not self.is_ordered and answer["by"] == "offset":
            return None  # within one memory the words are still in order
        if answer["first"] is None:
            return 0.5
        return float((answer["first"] == "a") == pair.a_first)
