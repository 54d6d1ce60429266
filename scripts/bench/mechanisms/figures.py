"""Figures of a ranking, and whether two differ. Pure."""

import math
import random
from collections.abc import Collection, Sequence
from statistics import fmean
from typing import NamedTuple

_DRAWS = 2_000


class Difference(NamedTuple):
    """A mean difference and its 95 % interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        """Show both."""
        return f"{self.mean:+.4f} [{self.low:+.4f}, {self.high:+.4f}]"


def recall_at(k: int, ranked: Sequence[str], gold: Collection[str]) -> float:
    """Return the share of what is wanted that is among the first k. In [0, 1]."""
    return len(set(gold) & set(ranked[:k])) / len(set(gold))


def ndcg_at(k: int, ranked: Sequence[str], gold: Collection[str]) -> float:
    """Return the discounted gain of the first k, as a share of the best possible. In [0, 1]."""
    wanted = set(gold)
    gain = sum(1 / math.log2(rank + 2) for rank, one in enumerate(ranked[:k]) if one in wanted)
    return gain / sum(1 / math.log2(rank + 2) for rank in range(min(k, len(wanted))))


def difference(without: Sequence[float], with_: Sequence[float]) -> Difference:
    """Return the paired bootstrap of the mean of ``with_`` minus ``without``, same questions."""
    rng = random.Random(7)
    gains = [new - old for old, new in zip(without, with_, strict=True)]
    means = sorted(fmean(rng.choices(gains, k=len(gains))) for _ in range(_DRAWS))
    low, high = means[int(_DRAWS * 0.025)], means[int(_DRAWS * 0.975)]
    return Difference(round(fmean(gains), 4), round(low, 4), round(high, 4))
