"""Clients that write without pause and repeat what failed until it is acknowledged."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

MARK = "stream-"
"""What the names of the stream's users and Idempotency-Keys begin with."""

_USERS, _SESSIONS = 5, 2
_LETTERS = "bcdfghjkmnpqrtvwxz"  # no stemmer finds an ending in words of these
_WORDS = ("cat", "garden", "piano", "Lisbon", "deadline", "lasagne", "neighbour", "winter")
_REPEATABLE = {429, 502, 503, 504}
_PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True)
class Kept:
    """An item that the server has acknowledged."""

    user: str
    client_id: str
    session: str
    id: str
    content: str
    word: str
    """Stands in this item alone (and, as context, in the key of the next one)."""


@dataclass(slots=True)
class Ledger:
    """What was acknowledged, and how it went."""

    kept: list[Kept] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    """Answers that no client should ever get."""
    failures: Counter[str] = field(default_factory=Counter)
    """Attempts that had to be repeated, by what came instead of an answer."""
    requests: int = 0
    keys: set[str] = field(default_factory=set)
    acknowledged_at: list[tuple[float, float, bool]] = field(default_factory=list)
    """For each acknowledged request: when its last attempt began and ended, and whether all its
    items were searchable by vector."""

    def first_after(self, moment: float, *, whole: bool = False) -> float | None:
        """Return seconds until a request begun after ``moment`` was acknowledged."""
        ends = [
            end for begin, end, ready in self.acknowledged_at
            if begin > moment and (ready or not whole)
        ]  # fmt: skip
        return min(ends) - moment if ends else None


def word_of(number: int) -> str:
    """Return a made-up word of its own for each number."""
    letters = []
    while number:
        number, index = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[index])
    return "zq" + "".join(letters) + "zq"


class Writer:
    """One client: one request after another, each until it is acknowledged."""

    def __init__(
        self, http: httpx.AsyncClient, ledger: Ledger, *, name: str, number: int, seed: str
    ) -> None:
        self._http = http
        self._ledger = ledger
        self._name = name
        self._rng = random.Random(f"{seed}/{name}")
        self._next = number * 1_000_000
        self._sent = 0

    async def run(self, enough: asyncio.Event) -> None:
        """Write until ``enough``; the last request is still seen to its end."""
        while not enough.is_set():
            body = self._body()
            key = f"{MARK}{self._name}-{self._sent}" if self._rng.random() < 0.5 else None
            answer = await self._deliver(body, key)
            if answer is not None and self._rng.random() < 0.1:
                again = await self._deliver(body, key, is_repeat=True)
                if again is not None and _ids(again) != _ids(answer):
                    self._ledger.complaints.append("a repeated request was given other ids")
            await asyncio.sleep(self._rng.uniform(0, 0.05))

    def _body(self) -> dict[str, Any]:
        self._sent += 1
        body: dict[str, Any] = {
            "user_id": f"{MARK}{self._rng.randrange(_USERS)}",
            "session_id": f"session-{self._rng.randrange(_SESSIONS)}",
            "items": [self._item() for _ in range(self._rng.randint(1, 5))],
        }
        if self._rng.random() < 0.2:
            body["infer"] = "none"
        return body

    def _item(self) -> dict[str, Any]:
        self._next += 1
        word = word_of(self._next)
        # Some are longer than the embedder's window: a memory with several keys.
        length = 500 if self._rng.random() < 0.03 else self._rng.randint(3, 15)
        text = " ".join([word, *self._rng.choices(_WORDS, k=length)])
        return {"content": text, "client_id": f"{self._name}-{self._next}", "role": "user"}

    async def _deliver(
        self, body: dict[str, Any], key: str | None, *, is_repeat: bool = False
    ) -> dict[str, Any] | None:
        """Send a request until it is acknowledged; return the answer."""
        headers = {} if key is None else {"Idempotency-Key": key}
        began = time.monotonic()
        while time.monotonic() - began < _PATIENCE_S:
            attempted = time.monotonic()
            try:
                answer = await self._http.post("/v1/memories", json=body, headers=headers)
            except httpx.TransportError as error:
                self._ledger.failures[type(error).__name__] += 1
            else:
                if answer.status_code == 201:
                    stored: dict[str, Any] = answer.json()
                    if not is_repeat:
                        self._note(body, key, stored, attempted)
                    return stored
                self._ledger.failures[str(answer.status_code)] += 1
                if answer.status_code not in _REPEATABLE:
                    self._ledger.complaints.append(f"{answer.status_code}: {answer.text[:300]}")
            await asyncio.sleep(self._rng.uniform(0.1, 0.4))
        self._ledger.complaints.append(f"not acknowledged within {_PATIENCE_S:.0f} s")
        return None

    def _note(
        self, body: dict[str, Any], key: str | None, stored: dict[str, Any], attempted: float
    ) -> None:
        ledger, items = self._ledger, stored["items"]
        ledger.requests += 1
        if key is not None:
            ledger.keys.add(key)
        if [one["client_id"] for one in items] != [one["client_id"] for one in body["items"]]:
            ledger.complaints.append("the answer names other items than the request")
        if any(one["status"] != "created" for one in items):
            ledger.complaints.append("an item was taken for a duplicate of another one")
        ready = all(one["embedding"] == "ready" for one in items)
        ledger.acknowledged_at.append((attempted, time.monotonic(), ready))
        ledger.kept += [
            Kept(
                user=body["user_id"],
                client_id=sent["client_id"],
                session=body["session_id"],
                id=one["id"],
                content=sent["content"],
                word=sent["content"].partition(" ")[0],
            )
            for sent, one in zip(body["items"], items, strict=True)
        ]


def _ids(answer: dict[str, Any]) -> Sequence[str]:
    return [one["id"] for one in answer["items"]]
