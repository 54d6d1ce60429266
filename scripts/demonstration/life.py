"""A life told day by day: days close, a few things are recalled, the rest fades."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from statistics import fmean
from typing import Any, NamedTuple

from scripts.demonstration import pages
from scripts.demonstration.house import Clock, House
from scripts.demonstration.story import Story, Turn

_TALK = time(12)
_NIGHT = time(3)
_LOOKS_AFTER = (1, 2, 3, 5, 7, 14, 21)
"""Days after the story on which something is recalled."""
_RECALLED = 3


class Snapshot(NamedTuple):
    """What lives at a moment."""

    at: str
    live: int
    archived: int
    retention_by_day: dict[str, float]
    """Mean retention of what was said on each day, as far as it lives."""


@dataclass
class Account:
    """What the life left behind."""

    timeline: list[Snapshot] = field(default_factory=list)
    pages: dict[str, str] = field(default_factory=dict)
    """Files that show the service, by name: as the story ends, and after the days behind it."""
    preview: dict[str, Any] = field(default_factory=dict)
    """What would be archived by the end of the story's month, and when."""


async def live(house: House, clock: Clock, story: Story, days: int) -> Account:
    """Tell a story and let ``days`` pass after it."""
    account = Account()
    told, count = sorted(story), 0
    for day in told:
        await _tell(house, clock, day, story[day])
        await _sleep(house, clock, day + timedelta(days=1))
        count += len(story[day])
        account.timeline.append(await _look(house, clock, count))
    first = story[told[0]][0].text
    account.pages |= await pages.collect(house, "told")
    account.preview = await _preview(house, clock, days)
    await _let_go(house)
    for number in range(1, days + 1):
        day = told[-1] + timedelta(days=number)
        if number in _LOOKS_AFTER:
            clock.set(day, _TALK)
            await _recall(house, first)
        await _sleep(house, clock, day + timedelta(days=1))
        account.timeline.append(await _look(house, clock, count))
    account.pages |= await pages.collect(house, "later")
    return account


async def _tell(house: House, clock: Clock, day: date, turns: Sequence[Turn]) -> None:
    """Store what was said on a day, at noon."""
    clock.set(day, _TALK)
    items = [
        {
            "content": turn.text,
            "role": turn.role,
            "name": turn.name,
            "session_id": day.isoformat(),
            "occurred_at": (clock.now() + timedelta(seconds=20 * number)).isoformat(),
        }
        for number, turn in enumerate(turns)
    ]
    await house.call("POST", "/v1/memories", {"user_id": house.user, "items": items})
    await house.organise()


async def _recall(house: House, about: str) -> None:
    body = {"user_id": house.user, "query": about, "limit": _RECALLED}
    await house.call("POST", "/v1/recall", body)
    await house.reinforce()


async def _sleep(house: House, clock: Clock, until: date) -> None:
    """Let the night pass: the day before is closed, and what has faded may go."""
    clock.set(until, _NIGHT)
    await house.keep_house()


async def _preview(house: House, clock: Clock, days: int) -> dict[str, Any]:
    body = {
        "user_id": house.user,
        "at": (clock.now() + timedelta(days=days)).isoformat(),
        "policy": {"archiving": "threshold"},
        "limit": 200,
    }
    found: dict[str, Any] = await house.call("POST", "/v1/forgetting:preview", body)
    return found


async def _let_go(house: House) -> None:
    """Switch archiving on: by default nothing is ever archived."""
    body = {"forgetting": {"archiving": "threshold"}}
    await house.call("PUT", f"/v1/users/{house.user}/settings", body)


async def _look(house: House, clock: Clock, told: int) -> Snapshot:
    """Return what lives of ``told`` memories, and how well it is retained.

    A preview with a threshold of 1 shows the retention of everything that can fade.
    """
    body = {
        "user_id": house.user,
        "at": clock.now().isoformat(),
        "policy": {"archiving": "threshold", "threshold": 1.0},
        "limit": 200,
    }
    retained: dict[str, list[float]] = {}
    page = await house.call("POST", "/v1/forgetting:preview", body)
    live, items = page["examined"], page["items"]
    while page["next_cursor"] is not None:
        body["cursor"] = page["next_cursor"]
        page = await house.call("POST", "/v1/forgetting:preview", body)
        items += page["items"]
    for one in items:
        retained.setdefault(one["occurred_at"][:10], []).append(one["retention"])
    means = {origin: fmean(values) for origin, values in sorted(retained.items())}
    return Snapshot(clock.now().isoformat(), live, told - live, means)
