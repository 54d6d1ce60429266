r"""The whole chain against a real language model, however poor its answers.

    APP_LLM__URL=http://127.0.0.1:8090/v1 APP_LLM__MODEL=NAME \
        python -m scripts.bench.language_model [--turns 12] [--minutes 8] [--out FILE.md]

Starts an installation of its own that asks this model, stores a small conversation, lets the
worker organise it, and counts what was kept, dropped and failed. Ends with 1 if a memory was lost
or the service stopped answering.
"""

import argparse
import json
import os
import re
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from scripts.bench import load
from scripts.bench.mechanisms.service import Service
from scripts.demonstration import story

_USER = story.OWN_USER
_ENDED = {"succeeded", "failed", "cancelled"}
_METRIC = re.compile(r"^(remembrancer_llm_\w+?)(\{[^}]*\})? (\S+)$", re.MULTILINE)


def _items(turns: int) -> list[dict[str, Any]]:
    """Return the first turns of the demo's story as items."""
    items = []
    for day, said in sorted(story.own().items()):
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        items += [
            {
                "content": turn.text,
                "role": turn.role,
                "name": turn.name,
                "session_id": day.isoformat(),
                "occurred_at": (noon + number * timedelta(seconds=20)).isoformat(),
            }
            for number, turn in enumerate(said)
        ]
    return items[:turns]


def _wait(service: Service, *, minutes: float) -> list[dict[str, Any]]:
    """Return the user's jobs when all have ended, or when the time is up."""
    until = time.monotonic() + 60 * minutes
    while True:
        jobs: list[dict[str, Any]] = service.call("GET", f"/v1/jobs?user_id={_USER}")["items"]
        if all(job["status"] in _ENDED for job in jobs) or time.monotonic() > until:
            return jobs
        time.sleep(5)


def _made_by(service: Service) -> dict[str, Counter[str]]:
    """Count what every mechanism stored, by what made it."""
    base = f"/v1/users/{_USER}"
    memories = service.call("GET", f"/v1/memories?user_id={_USER}&kind=episode&limit=200")["items"]
    notes: Counter[str] = Counter()
    for memory in memories:
        try:
            notes[service.call("GET", f"/v1/memories/{memory['id']}/note")["generated_by"]] += 1
        except httpx.HTTPStatusError:
            notes["none yet"] += 1
    links = service.call("GET", f"{base}/graph?limit=1000")["links"]
    profile = service.call("GET", f"{base}/profile")
    return {
        "memories": Counter({"as stored": len(memories)}),
        "notes": notes,
        "links": Counter(one["generated_by"] for one in links),
        "thoughts": _counted(service, f"{base}/thoughts?limit=100"),
        "days": _counted(service, f"{base}/summaries?limit=100"),
        "profile": Counter({str(profile["generated_by"]): 1}),
    }


def _counted(service: Service, path: str) -> Counter[str]:
    return Counter(one["generated_by"] for one in service.call("GET", path)["items"])


def _metrics(port: int) -> dict[str, float]:
    """Return what the worker counted of the model."""
    text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text
    return {
        found[1] + (found[2] or ""): float(found[3])
        for found in _METRIC.finditer(text)
        if "_bucket" not in found[1] and "_created" not in found[1]
    }


def _report(turns: int, jobs: list[dict[str, Any]], made: dict[str, Counter[str]],
            counted: dict[str, float]) -> str:  # fmt: skip
    """Return the run as a page."""
    lines = [
        "# A run against a real language model", "",
        f"`python -m scripts.bench.language_model --turns {turns}` with `APP_LLM__MODEL="
        f"{os.environ['APP_LLM__MODEL']}`, {datetime.now(UTC).date().isoformat()}, "
        f"{os.cpu_count()} cores.", "",
        "| what | made by | count |", "| --- | --- | --- |",
        *(f"| {what} | {by} | {n} |" for what, c in made.items() for by, n in sorted(c.items())),
        "", "| task | status | attempts | error |", "| --- | --- | --- | --- |",
        *(f"| {task['name']} | {task['status']} | {task['attempts']} | {task['error'] or ''} |"
          for job in jobs for task in job["tasks"]),
        "", "| counted by the worker | value |", "| --- | --- |",
        *(f"| `{name}` | {value:g} |" for name, value in sorted(counted.items())),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run, count and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--turns", type=int, default=12)
    parser.add_argument("--minutes", type=float, default=8)
    parser.add_argument("--out", type=Path, help="write the page here")
    arguments = parser.parse_args()
    turns: int = arguments.turns
    os.environ["APP_JOBS__METRICS_PORT"] = port = str(load.free_port())
    items = _items(turns)
    with load.Installation(0) as house, Service(house.url, house.key) as service:
        service.call("POST", "/v1/memories", {"user_id": _USER, "items": items})
        jobs = _wait(service, minutes=arguments.minutes)
        made, counted = _made_by(service), _metrics(int(port))
        hits = service.recall(_USER, items[0]["content"], limit=1)
    page = _report(turns, jobs, made, counted)
    if arguments.out:
        arguments.out.write_text(page, encoding="utf-8")
    print(page, json.dumps([job["status"] for job in jobs]))
    kept_all = made["memories"]["as stored"] == len(items)
    sys.exit(0 if kept_all and hits and hits[0]["content"] == items[0]["content"] else 1)


if __name__ == "__main__":
    main()
