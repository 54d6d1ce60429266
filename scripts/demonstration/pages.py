"""What a life left behind, as files."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.demonstration.house import House


async def collect(house: House, folder: str) -> dict[str, str]:
    """Return curves, profile, graph, thoughts and summaries as they are now, by name of file."""
    profile = await house.read("profile")
    summaries = (await house.read("summaries?limit=100"))["items"]
    texts = {
        "forgetting.svg": await house.read("forgetting.svg"),
        "forgetting.json": as_json(await house.read("forgetting.json")),
        "profile.json": as_json(profile),
        "profile.md": as_markdown(house.user, profile, summaries),
        "graph.json": as_json(await house.read("graph?limit=1000")),
        "summaries.json": as_json(summaries),
        "thoughts.json": as_json((await house.read("thoughts?limit=100"))["items"]),
    }
    return {f"{folder}/{name}": text for name, text in texts.items()}


def write(texts: Mapping[str, str], directory: Path) -> list[Path]:
    """Write files; return them."""
    paths = [directory / name for name in sorted(texts)]
    for path, (_, text) in zip(paths, sorted(texts.items()), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return paths


def as_json(value: object) -> str:
    """Return JSON for people and programs."""
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def as_markdown(user: str, profile: dict[str, Any], days: list[dict[str, Any]]) -> str:
    """Return a profile and the summaries of days for people to read."""
    lines = [f"# {user}", "", profile["biography"]["third_person"], ""]
    for shade in profile["shades"]:
        lines += [f"## {shade['name']}", "", shade["description"], ""]
        lines += [f"- {entry['at'][:10]}: {entry['text']}" for entry in shade["timeline"]]
        lines.append("")
    lines += ["## Days", ""]
    for day in days:
        lines += [f"- **{day['day']}** " + " ".join(line["text"] for line in day["lines"])]
    return "\n".join(lines) + "\n"
