"""Questions that name a day find that day first."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kit.named_days import NamedDay, named_days
from app.kit.time_vocabulary import month_names
from app.retrieval.kernel.candidates import Candidate
from app.retrieval.kernel.dates import prefer
from tests.memories.helpers import Json, Store

MONTHS: Mapping[str, int] = {**month_names("de"), **month_names("fr"), **month_names("es")}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What did I see on May 2nd?", (None, 5, 2)),
        ("what did I see on may 2", (None, 5, 2)),
        ("on the 3rd of May 2023", (2023, 5, 3)),
        ("May 3, 2023 was warm", (2023, 5, 3)),
        ("the 7 October 2024 meeting", (2024, 10, 7)),
        ("since Sept. 4", (None, 9, 4)),
        ("from 2023-05-03 on", (2023, 5, 3)),
        ("am 3. Mai 2023", (2023, 5, 3)),
        ("Was war am 12. März?", (None, 3, 12)),
        ("le 1er mai", (None, 5, 1)),
        ("el 3 de mayo de 2023", (2023, 5, 3)),
        ("on Feb 29", (None, 2, 29)),
    ],
)
def test_a_day_is_read(text: str, expected: tuple[int | None, int, int]) -> None:
    assert named_days(text, MONTHS) == [NamedDay(*expected)]


@pytest.mark.parametrize(
    "text",
    [
        "may 5 friends come along?",
        "I march 3 miles",
        "In May 2023",
        "on 2023-02-30",
        "on February 31",
        "version 1.2 may follow",
        "the maybe 5 people",
        "at May 5:30",
        "no digits in May",
    ],
)
def test_what_is_no_day_is_not_read(text: str) -> None:
    assert named_days(text, MONTHS) == []


def test_several_days_are_read_in_order_and_once() -> None:
    found = named_days("Between May 3 and 5 May, not 2024-01-01, but May 3?", MONTHS)

    assert found == [NamedDay(None, 5, 3), NamedDay(None, 5, 5), NamedDay(2024, 1, 1)]


@given(st.text(max_size=60))
def test_any_text_can_be_read(text: str) -> None:
    for one in named_days(text, MONTHS):
        assert 1 <= one.month <= 12


def test_a_language_that_the_library_does_not_know_has_english_months() -> None:
    assert month_names("und") == month_names("en")


def _candidate(ordinal: int, score: float) -> Candidate:
    values: dict[str, object] = dict.fromkeys(Candidate._fields)
    values.update(ordinal=ordinal, score=score, id=UUID(int=ordinal))
    return Candidate(**values)  # type: ignore[arg-type]  # what is compared is there


def test_the_best_of_the_day_goes_before_the_best_of_all() -> None:
    everywhere = [_candidate(1, 1.0), _candidate(2, 0.5)]

    found = prefer(everywhere, [_candidate(3, 0.34), _candidate(2, 0.2)])

    assert [one.ordinal for one in found] == [2, 3, 1]
    assert all(0 <= one.score <= 1 for one in found)


def _on(day: str, content: str, hour: int = 12) -> Json:
    return {"content": content, "occurred_at": f"{day}T{hour:02}:00:00Z"}


DINNERS = [
    _on("2024-05-03", "For dinner I made lasagne with spinach."),
    _on("2025-05-03", "For dinner I made soup."),
    _on("2025-05-04", "Dinner, dinner, dinner: what a dinner on this day!"),
    _on("2025-06-03", "I made a dinner of fish and named it the dinner of the year."),
]


@pytest.mark.pg
async def test_the_named_day_comes_first_the_latest_where_no_year_is_named(store: Store) -> None:
    await store.remember(*DINNERS)

    assert (await store.found("Which dinner on May 3rd?"))[0] == DINNERS[1]["content"]
    assert (await store.found("Which dinner on May 3rd 2024?"))[0] == DINNERS[0]["content"]
    assert (await store.found("Which dinner on 2025-05-04?"))[0] == DINNERS[2]["content"]


@pytest.mark.pg
async def test_the_others_follow_and_scores_fall(store: Store) -> None:
    await store.remember(*DINNERS)

    hits = (await store.recall("Which dinner on May 3rd?"))["hits"]

    assert len(hits) == 4
    scores = [hit["score"] for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


@pytest.mark.pg
async def test_a_day_without_memories_changes_nothing(store: Store) -> None:
    await store.remember(*DINNERS)

    unknown = await store.recall("Which dinner on May 9th?")
    late = await store.recall("Which dinner on 9999-12-31 or 0001-01-01?")

    assert len(unknown["hits"]) == len(late["hits"]) == 4


@pytest.mark.pg
async def test_a_day_is_the_owners_own(store: Store) -> None:
    await store.send("PUT", "/v1/users/alice/settings", {"time_zone": "Asia/Tokyo"})
    evening = _on("2025-05-02", "Tea.", 20)  # 05:00 of May 3rd in Tokyo
    await store.remember(evening, _on("2025-05-03", "On this day I had tea with milk.", 20))

    assert (await store.found("Tea on May 3rd?"))[0] == "Tea."


@pytest.mark.pg
async def test_filters_hold_within_the_day(store: Store) -> None:
    await store.remember(*DINNERS)
    before = datetime(2025, 1, 1, tzinfo=UTC).isoformat()

    found = await store.found("Which dinner on May 3rd?", filters={"occurred_at": {"lt": before}})

    assert found == [DINNERS[0]["content"]]


@pytest.mark.pg
async def test_months_are_named_in_the_owners_language(store: Store) -> None:
    await store.send("PUT", "/v1/users/alice/settings", {"language": "de"})
    await store.remember(
        _on("2025-03-12", "Suppe."), _on("2025-03-13", "Abendessen: Suppe am Abend, viel Suppe.")
    )

    assert (await store.found("Welche Suppe gab es am 12. März zum Abendessen?"))[0] == "Suppe."
