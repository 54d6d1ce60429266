"""Conversations and questions of others, read from the files they were published in."""

import calendar
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

_FIRST = datetime(2023, 1, 1, tzinfo=UTC)
_FORMS = ("%I:%M %p on %d %B, %Y", "%B-%d-%Y", "%Y-%m-%d")
_APART = timedelta(seconds=20)


class Question(NamedTuple):
    """What is asked, and which turns answer it."""

    text: str
    gold: frozenset[str]
    category: str


class Conversation(NamedTuple):
    """Turns as items to store, and questions about them."""

    name: str
    items: list[dict[str, Any]]
    questions: list[Question]


def conversations(path: Path, *, without: tuple[str, ...] = ("5",)) -> list[Conversation]:
    """Read a file with one conversation a line; questions of some categories are left out."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [_conversation(json.loads(line), without) for line in lines]


def _conversation(row: dict[str, Any], without: tuple[str, ...]) -> Conversation:
    items, last, step = [], None, 0
    for doc in row["docs"]:
        date = _when(doc.get("date"))
        step = step + 1 if date == last else 0
        last = date
        items.append(
            {
                "content": doc["text"],
                "name": str(doc["speaker"]),
                "role": "assistant" if doc["speaker"] == "assistant" else "user",
                "session_id": f"{row['id']}-{doc['session']}",
                "occurred_at": (date + step * _APART).isoformat(),
                "metadata": {"doc": doc["id"]},
            }
        )
    questions = [
        Question(one["q"], frozenset(one["gold"]), one["cat"])
        for one in row["queries"]
        if one["gold"] and not one["cat"].startswith(without)
    ]
    return Conversation(row["id"], items, questions)


def _when(text: object) -> datetime:
    plain = re.sub(r"\s+", " ", str(text)).strip()
    for form in _FORMS:
        try:
            return datetime.strptime(plain, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return _FIRST


class Dated(NamedTuple):
    """A question that names a day, and that day."""

    user: str
    text: str
    day: str


def diaries(directory: Path) -> dict[str, list[dict[str, Any]]]:
    """Return MemoryBank's users, each with what was said as items to store, day by day."""
    bank = json.loads((directory / "memory_bank_en.json").read_text(encoding="utf-8"))
    return {user.strip(): _diary(user.strip(), e["history"]) for user, e in bank.items()}


def _diary(user: str, history: dict[str, list[dict[str, str]]]) -> list[dict[str, Any]]:
    items = []
    for day, exchanges in sorted(history.items()):
        start = datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC)
        turns = [
            (role, name, exchange[member])
            for exchange in exchanges
            for role, name, member in (("user", user, "query"), ("assistant", "AI", "response"))
        ]
        items += [
            {
                "content": text,
                "role": role,
                "name": name,
                "session_id": day,
                "occurred_at": (start + number * _APART).isoformat(),
                "metadata": {"day": day},
            }
            for number, (role, name, text) in enumerate(turns)
            if text.strip()
        ]
    return items


_DAY = re.compile(
    r"\b(January|February|March|April|May|June|July|August|September|October|November|December)"
    r"\s+(\d{1,2})(?:st|nd|rd|th)?\b"
)


def dated_questions(directory: Path, diaries: dict[str, list[dict[str, Any]]]) -> list[Dated]:
    """Return MemoryBank's probing questions that name one day on which there was talk."""
    found = []
    lines = (directory / "probing_questions_en.jsonl").read_text(encoding="utf-8").splitlines()
    for user, texts in ((u, t) for line in lines if line for u, t in json.loads(line).items()):
        days = {item["metadata"]["day"] for item in diaries[user]}
        for text in texts:
            named = {_day(match, days) for match in _DAY.finditer(text)}
            found += [Dated(user, text, day) for day in named if day is not None]
    return found


def _day(match: re.Match[str], days: set[str]) -> str | None:
    month = list(calendar.month_name).index(match[1])
    ending = f"-{month:02}-{int(match[2]):02}"
    return next((day for day in sorted(days) if day.endswith(ending)), None)
