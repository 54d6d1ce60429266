"""Clients of users of different sizes: 80 % recalls, 20 % writes of one message."""

import asyncio
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp

CLIENTS = 16
_WRITE_SHARE = 0.2


class Load:
    """Asks and tells as 16 clients would; each holds one connection."""

    def __init__(
        self,
        url: str,
        key: str,
        users: Mapping[str, Sequence[str]],
        asked: Sequence[str],
        said: Sequence[tuple[str, str]],
    ) -> None:
        self.url, self.key = url, key
        self.users = dict(users)
        """Users by class; each class is asked equally often."""
        self.asked, self.said = asked, said

    async def run(self, seconds: float, *, rate: float | None = None) -> dict[str, Any]:
        """Return requests a second and milliseconds by kind; as fast as can be without a rate."""
        took: dict[str, list[float]] = defaultdict(list)
        errors: list[str] = []
        headers = {"Authorization": f"Bearer {self.key}"}
        connector = aiohttp.TCPConnector(limit=CLIENTS)
        started = time.perf_counter()
        pause = None if rate is None else CLIENTS / rate
        async with (
            aiohttp.ClientSession(self.url, headers=headers, connector=connector) as session,
            asyncio.TaskGroup() as group,
        ):
            for number in range(CLIENTS):
                client = self._client(session, number, started + seconds, pause, took, errors)
                group.create_task(client)
        spent = time.perf_counter() - started
        everything = [one for each in took.values() for one in each]
        return {
            "requests_per_s": round(len(everything) / spent, 1),
            "requests": len(everything),
            "errors": len(errors),
            "first_error": errors[0] if errors else None,
            "ms": {kind: _summary(each) for kind, each in sorted(took.items())},
        }

    async def _client(
        self,
        session: aiohttp.ClientSession,
        number: int,
        until: float,
        pause: float | None,
        took: dict[str, list[float]],
        errors: list[str],
    ) -> None:
        rng = random.Random()
        due = time.perf_counter() + (pause or 0) * number / CLIENTS
        while due < until and time.perf_counter() < until:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            kind, path, body = self._request(rng)
            began = time.perf_counter()
            async with session.post(path, json=body) as answer:
                content = await answer.read()
            took[kind].append((time.perf_counter() - began) * 1e3)
            if answer.status >= 300:
                errors.append(f"{answer.status} {content[:200]!r}")
            due = due + pause if pause is not None else 0.0

    def _request(self, rng: random.Random) -> tuple[str, str, dict[str, Any]]:
        group = rng.choice(list(self.users))
        user = rng.choice(self.users[group])
        if rng.random() < _WRITE_SHARE:
            name, text = rng.choice(self.said)
            item = {"content": f"{text} {rng.randrange(10**9)}", "name": name}
            body = {"user_id": user, "session_id": "load", "items": [item]}
            return f"write, {group}", "/v1/memories", body
        return f"recall, {group}", "/v1/recall", {"query": rng.choice(self.asked), "user_id": user}


def _summary(each: Sequence[float]) -> dict[str, float]:
    ordered = statistics.quantiles(each, n=100) if len(each) > 1 else [each[0]] * 99
    return {
        "n": len(each),
        **{f"p{place}": round(ordered[place - 1], 1) for place in (50, 95, 99)},
    }
