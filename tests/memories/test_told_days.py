"""Days that a memory tells of besides the one it was said on."""

from datetime import date

import pytest

from app.kit.relative_times import Days
from app.kit.time_vocabulary import month_names, reader
from app.memories.kernel import MOST_TOLD, told_days
from tests.memories.helpers import Json, Store

SAID = date(2023, 5, 31)


def _told(content: str) -> list[Days]:
    return told_days(content, SAID, reader("en"), month_names("en"))


def test_relative_times_and_named_days_are_told_of_in_order() -> None:
    found = _told("I met Ann on May 4th, and went to the lake last Friday.")

    assert found == [
        Days(date(2023, 5, 4), date(2023, 5, 4)),
        Days(date(2023, 5, 26), date(2023, 5, 26)),
    ]


def test_a_day_without_a_year_is_the_nearest() -> None:
    assert _told("It begins on June 2nd.") == [Days(date(2023, 6, 2), date(2023, 6, 2))]
    assert told_days("on December 30", date(2023, 1, 2), reader("en"), month_names("en")) == [
        Days(date(2022, 12, 30), date(2022, 12, 30))
    ]


def test_the_day_itself_and_whole_years_are_not_noted() -> None:
    assert _told("I went there today, as I did last year, on 31 May 2023.") == []


def test_of_many_days_the_first_are_noted() -> None:
    listed = ", ".join(f"May {day}" for day in range(1, 30))

    assert len(_told(listed)) == MOST_TOLD


def _said(content: str, day: str) -> Json:
    return {"content": content, "occurred_at": f"{day}T12:00:00Z"}


async def _rows(store: Store) -> list[tuple[date, date]]:
    scope = await store.scope()
    rows = await store.rows(
        "SELECT since, until FROM told_days WHERE owner_id = :owner_id ORDER BY 1",
        owner_id=scope.owner_id,
    )
    return [(since, until) for since, until in rows]


@pytest.mark.pg
async def test_told_days_follow_the_memory_through_its_life(store: Store) -> None:
    stored = await store.remember(_said("I swam in the lake last Friday.", "2023-05-31"))
    memory = stored[0]["id"]
    friday, other = date(2023, 5, 26), date(2023, 5, 30)

    assert await _rows(store) == [(friday, friday)]
    await store.edit(memory, content="I swam in the lake yesterday.")
    assert await _rows(store) == [(other, other)]
    await store.edit(memory, occurred_at="2023-05-27T12:00:00Z")
    assert await _rows(store) == [(friday, friday)]
    await store.archive(memory)
    assert await _rows(store) == []
    await store.restore(memory)
    assert await _rows(store) == [(friday, friday)]
    await store.erase(memory)
    assert await _rows(store) == []


@pytest.mark.pg
async def test_another_time_zone_moves_the_days(store: Store) -> None:
    late = {"content": "I swam yesterday.", "occurred_at": "2023-05-31T20:00:00Z"}
    await store.remember(late)
    assert await _rows(store) == [(date(2023, 5, 30), date(2023, 5, 30))]

    await store.send("PUT", "/v1/users/alice/settings", {"time_zone": "Asia/Tokyo"})
    await store.run_task("memories.reindex")

    assert await _rows(store) == [(date(2023, 5, 31), date(2023, 5, 31))]
