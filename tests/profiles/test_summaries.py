"""Days: summarised when they are over where the owner lives, anew where sources changed."""

from datetime import UTC, datetime, timedelta

import pytest

from app.kit import clock
from tests.memories.helpers import Store
from tests.profiles.helpers import GARDEN, enrich, keep_house, run, said, summaries

pytestmark = pytest.mark.pg
DAY = "2026-03-01"


def _day(*texts: str) -> list[dict[str, object]]:
    return [said(DAY, text, hour) for hour, text in enumerate(texts, 8)]


async def test_a_day_that_is_over_is_summarised_line_by_line_with_its_sources(
    store: Store,
) -> None:
    stored = await store.remember(*_day(*GARDEN, "Hello there!"))

    await run(store, "profiles.summarise")

    (day,) = await summaries(store)
    ids = {one["id"] for one in stored}
    assert day["day"] == DAY
    assert day["generated_by"] == "deterministic:extract"
    assert 1 <= len(day["lines"]) <= 5
    assert all(set(line["source_ids"]) <= ids and line["source_ids"] for line in day["lines"])
    assert "garden" in day["lines"][0]["text"]


async def test_the_portrait_of_a_day_counts_and_claims_nothing(store: Store) -> None:
    await store.remember(*_day(*GARDEN, "Yesterday Bob met Carol."))

    await run(store, "profiles.summarise")

    portrait = (await summaries(store))[0]["portrait"]
    assert {"garden", "tomatoes"} <= {term["text"] for term in portrait["keywords"]}
    assert {"Bob", "Carol"} <= {term["text"] for term in portrait["names"]}
    assert portrait["active_hours"][8:14] == [1] * 6
    assert sum(portrait["active_hours"]) == 6
    assert (portrait["traits"], portrait["mood"], portrait["strategy"]) == (None, None, None)
    assert portrait["generated_by"] == "deterministic:counts"


async def test_today_is_not_over(store: Store) -> None:
    await store.remember({"content": "I am writing this today.", "role": "user"})

    await run(store, "profiles.summarise")

    assert await summaries(store) == []


async def test_a_day_is_over_by_the_owners_clock(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"time_zone": "Pacific/Kiritimati"}  # UTC+14
    await store.send("PUT", "/v1/users/early/settings", settings)
    evening = said(DAY, "It is evening here.", 11)  # 01:00 of the next day there
    await store.remember(evening, user_id="early")
    await store.remember(evening, user_id="late")
    moment = datetime(2026, 3, 2, 11, tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: moment)

    for user_id in ("early", "late"):
        await run(store, "profiles.summarise", user_id=user_id)

    assert [one["day"] for one in await summaries(store, "early")] == ["2026-03-02"]
    assert [one["day"] for one in await summaries(store, "late")] == [DAY]


async def test_only_days_whose_sources_changed_are_made_anew(store: Store) -> None:
    stored = await store.remember(*_day(*GARDEN), said("2026-03-02", "I took the train."))
    await run(store, "profiles.summarise")
    before = await summaries(store)

    await store.edit(stored[-1]["id"], content="I took the bus.")
    await run(store, "profiles.summarise")

    after = await summaries(store)
    assert after[0] == before[0]
    assert after[1]["lines"][0]["text"] == "Alice: I took the bus."


async def test_a_memory_moved_to_another_day_leaves_its_old_one(store: Store) -> None:
    stored = await store.remember(said(DAY, "I took the train."), said(DAY, "I ate soup."))
    await run(store, "profiles.summarise")

    await store.edit(stored[0]["id"], occurred_at="2026-03-05T09:00:00Z")
    await run(store, "profiles.summarise")

    found = {one["day"]: [line["text"] for line in one["lines"]] for one in await summaries(store)}
    assert found == {DAY: ["Alice: I ate soup."], "2026-03-05": ["Alice: I took the train."]}


async def test_a_day_without_memories_is_gone(store: Store) -> None:
    (stored,) = await store.remember(said(DAY, "I took the train."))
    await run(store, "profiles.summarise")

    await store.archive(stored["id"])
    await run(store, "profiles.summarise")

    assert await summaries(store) == []
    assert await store.count("day_summaries") == 0


async def test_running_again_changes_nothing(store: Store) -> None:
    await store.remember(*_day(*GARDEN))
    await run(store, "profiles.summarise")
    before = await store.rows("SELECT * FROM day_summaries ORDER BY owner_id, day")

    await run(store, "profiles.summarise")

    assert await store.rows("SELECT * FROM day_summaries ORDER BY owner_id, day") == before


async def test_an_erased_memorys_line_goes_at_once(store: Store) -> None:
    stored = await store.remember(said(DAY, "Zanzibar is my secret."), said(DAY, "I ate soup."))
    await run(store, "profiles.summarise")

    await store.erase(stored[0]["id"])

    scope = await store.scope()
    held = await store.rows(
        "SELECT CAST(d AS text) FROM day_summaries d WHERE owner_id = :o", o=scope.owner_id
    )
    assert not any("anzibar" in row[0] for row in held)


async def test_moving_to_another_time_zone_cuts_all_days_anew(store: Store) -> None:
    await store.remember(said(DAY, "Late at night.", 23), said(DAY, "In the morning.", 9))
    await run(store, "profiles.summarise")

    await store.send("PUT", "/v1/users/alice/settings", {"time_zone": "Asia/Tokyo"})
    await run(store, "profiles.summarise")

    assert [one["day"] for one in await summaries(store)] == [DAY, "2026-03-02"]


async def test_switched_off_no_day_is_summarised(store: Store) -> None:
    await store.send("PUT", "/v1/users/alice/settings", {"mechanisms": {"summaries": False}})
    await store.remember(*_day(*GARDEN))

    await run(store, "profiles.summarise")

    assert await summaries(store) == []


async def test_a_span_of_days_is_listed_page_by_page(store: Store) -> None:
    await store.remember(*(said(f"2026-03-0{i}", f"On day {i} I ate soup.") for i in range(1, 8)))
    await run(store, "profiles.summarise")

    span: dict[str, str | int] = {"from": "2026-03-02", "to": "2026-03-06", "limit": 3}
    first = await store.get("/v1/users/alice/summaries", **span)
    second = await store.get("/v1/users/alice/summaries", **span, cursor=str(first["next_cursor"]))

    days = [one["day"] for page in (first, second) for one in page["items"]]
    assert days == [f"2026-03-0{i}" for i in range(2, 7)]
    assert second["next_cursor"] is None


async def test_housekeeping_closes_days_without_new_writes(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    evening = datetime(2026, 3, 1, 20, tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: evening)
    await store.remember(said(DAY, "I took the train."))
    await enrich(store)
    assert await summaries(store) == []
    later = evening + timedelta(days=1)
    monkeypatch.setattr(clock, "now", lambda: later)

    await keep_house(store, later)
    queued = await store.rows(
        "SELECT tasks FROM jobs WHERE tenant_id = :t AND kind = 'profile'", t=store.tenant_id
    )
    await enrich(store)

    assert [step["name"] for step in queued[0][0]] == ["profiles.summarise", "profiles.refresh"]
    assert len(await summaries(store)) == 1
    assert await store.rows(
        "SELECT next_close_at FROM profile_states WHERE tenant_id = :t", t=store.tenant_id
    ) == [(None,)]
