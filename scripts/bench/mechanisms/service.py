"""A running installation, as a program that measures it sees it."""

import time
from collections.abc import Iterable, Sequence
from typing import Any, Self

import httpx

_BATCH = 200
_PATIENCE_S = 1_800
_PAUSE_S = 4
"""Between two looks at a job: the worker gives way for a second to whoever asks the api."""

Json = Any
"""Whatever the service answers."""


class Service:
    """The HTTP API of an installation."""

    def __init__(self, url: str, key: str) -> None:
        self._http = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=300
        )

    def __enter__(self) -> Self:
        """Use it within a block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._http.close()

    def call(self, method: str, path: str, body: object = None) -> Json:
        """Make a request; return its JSON."""
        answer = self._http.request(method, path, json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def switch(self, user: str, *, on: bool, **settings: object) -> None:
        """Switch all mechanisms of a user on or off; further settings as given."""
        names = ("linking", "thoughts", "summaries", "profiles", "segments")
        mechanisms = dict.fromkeys(names, on)
        self.call("PUT", f"/v1/users/{user}/settings", {"mechanisms": mechanisms, **settings})

    def store(self, user: str, items: Sequence[dict[str, Any]], **members: object) -> list[str]:
        """Store items and wait until the jobs behind them are done; return the memories' ids."""
        ids, jobs = [], []
        for start in range(0, len(items), _BATCH):
            body = {"user_id": user, "items": items[start : start + _BATCH], **members}
            answer = self.call("POST", "/v1/memories", body)
            ids += [item["id"] for item in answer["items"]]
            jobs.append(answer["job_id"])
        self.settle(job for job in jobs if job)
        return ids

    def organise(self, user: str, memory_id: str) -> None:
        """Let the chain catch up with all of a user's memories: a change of one starts it."""
        for verb in ("archive", "restore"):
            self.call("POST", f"/v1/memories/{memory_id}:{verb}")
        found = self.call("GET", f"/v1/jobs?user_id={user}&kind=enrich&limit=50")["items"]
        self.settle(job["id"] for job in found)

    def refresh(self, user: str) -> None:
        """Write a user's profile anew."""
        self.settle([self.call("POST", f"/v1/users/{user}/profile:refresh", {})["job_id"]])

    def settle(self, jobs: Iterable[str]) -> None:
        """Wait for jobs; one that fails ends the program."""
        until = time.monotonic() + _PATIENCE_S
        for job in jobs:
            while (found := self.call("GET", f"/v1/jobs/{job}"))["status"] != "succeeded":
                if found["status"] in {"failed", "cancelled"} or time.monotonic() > until:
                    msg = f"job {job}: {found}"
                    raise RuntimeError(msg)
                time.sleep(_PAUSE_S)

    def recall(self, user: str, query: str, **members: object) -> list[dict[str, Any]]:
        """Return the hits of a question; what is asked is not reinforced."""
        body = {"query": query, "user_id": user, "reinforce": False, **members}
        return list(self.call("POST", "/v1/recall", body)["hits"])
