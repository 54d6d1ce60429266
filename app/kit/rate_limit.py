"""Token buckets in this process: so many requests a minute, unused ones saved up to a minute."""

from collections.abc import Hashable
from typing import NamedTuple

_SWEEP_AT = 10_000


class Allowance(NamedTuple):
    """Whether a request may pass, and what is left."""

    passes: bool
    limit: int
    remaining: int
    retry_after_s: float
    reset_s: float

    def headers(self) -> dict[str, str]:
        """Return the allowance as response headers."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(round(self.reset_s)),
        }


class TokenBuckets:
    """One bucket per holder; a bucket that nobody draws from fills up and is forgotten."""

    def __init__(self) -> None:
        self._buckets: dict[Hashable, tuple[float, float]] = {}

    def draw(self, holder: Hashable, *, per_minute: int, now_s: float) -> Allowance:
        """Take one token if there is one.

        Args:
            holder: whose bucket.
            per_minute: size of the bucket, and how many tokens it regains in a minute; ≥ 1.
            now_s: seconds of a clock that never goes back.
        """
        tokens, since_s = self._buckets.get(holder, (float(per_minute), now_s))
        per_second = per_minute / 60
        tokens = min(float(per_minute), tokens + (now_s - since_s) * per_second)
        passes = tokens >= 1
        left = tokens - 1 if passes else tokens
        self._buckets[holder] = (left, now_s)
        if len(self._buckets) > _SWEEP_AT:
            self._forget_idle(now_s)
        return Allowance(
            passes=passes,
            limit=per_minute,
            remaining=int(left),
            retry_after_s=0.0 if passes else (1 - left) / per_second,
            reset_s=(per_minute - left) / per_second,
        )

    def _forget_idle(self, now_s: float) -> None:
        # Whatever its size, a bucket is full again after a minute.
        self._buckets = {
            holder: bucket for holder, bucket in self._buckets.items() if now_s - bucket[1] < 60
        }
