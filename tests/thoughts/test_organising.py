"""What becomes of a bucket's thoughts: forgotten, merged, joined; never across circles."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from app.kit.statements import joined_text
from app.thoughts.kernel.organising import (
    MOST_TAILS,
    Forgetting,
    Joining,
    Member,
    Merging,
    Plan,
    organise,
)


def day(number: int) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number)


def thought(ordinal: int, relation: str | None, *tails: str, head: str = "Alice") -> Member:
    text = f"{head} {relation} {tails}"
    return Member(ordinal, 3, None, head, relation, tails, text, day(ordinal))


def test_a_newer_tail_of_a_functional_relation_ends_the_older() -> None:
    plan = organise([thought(2, "lives in", "Rome"), thought(1, "lives in", "Berlin")], [])

    assert plan == Plan(forgotten=[Forgetting(1, 2, day(2))])


def test_the_older_is_told_by_when_it_was_said_not_by_when_it_was_stored() -> None:
    late = replace(thought(9, "lives in", "Berlin"), valid_from=day(0))

    plan = organise([thought(2, "lives in", "Rome"), late], [])

    assert plan.forgotten == [Forgetting(9, 2, day(2))]


def test_who_moves_back_has_moved_twice() -> None:
    members = [
        thought(n, "lives in", c) for n, c in enumerate(["Bern", "Rome", "Rome", "Bern!"], 1)
    ]

    plan = organise(members, [])

    assert plan.merged == [Merging(2, 3)]
    assert plan.forgotten == [Forgetting(1, 3, day(2)), Forgetting(3, 4, day(4))]


def test_the_same_tail_said_more_exactly_ends_nothing() -> None:
    members = [thought(1, "drives", "a Golf"), thought(2, "drives", "a red Golf")]

    assert organise(members, []) == Plan(merged=[Merging(1, 2)])


def test_whatever_words_a_relation_has_the_older_ends() -> None:
    members = [thought(1, "resides in", "Bern"), thought(2, "has moved to", "Rome")]

    assert organise(members, []) == Plan(forgotten=[Forgetting(1, 2, day(2))])


def test_who_lives_in_a_town_lives_in_a_country_too() -> None:
    places = ["Oslo", "Italy", "Rome"]
    members = [thought(n, "lives in", place) for n, place in enumerate(places, 1)]

    assert organise(members, []) == Plan(forgotten=[Forgetting(1, 3, day(3))])


def test_nobody_grows_younger() -> None:
    members = [thought(1, "is aged", "40"), thought(2, "is aged", "12")]

    assert organise(members, []) == Plan()


def test_nearness_ends_nothing_that_holds_for_one_tail_at_a_time() -> None:
    members = [thought(1, "lives in", "Rome"), thought(2, "lives in", "Italy")]

    assert organise(members, [(1, 2)]) == Plan()


def test_the_tails_of_another_relation_are_joined() -> None:
    plan = organise([thought(1, "likes", "tea"), thought(2, "likes", "jazz")], [])

    assert plan == Plan(joined=[Joining((1, 2), "Alice", "likes", ("tea", "jazz"))])


def test_an_equal_tail_is_merged_into_the_newest() -> None:
    plan = organise([thought(1, "likes", "the sea"), thought(2, "Likes", "Sea")], [])

    assert plan == Plan(merged=[Merging(1, 2)])


def test_a_tail_that_a_joined_thought_holds_adds_no_new_one() -> None:
    plan = organise([thought(1, "likes", "tea", "jazz"), thought(2, "likes", "tea")], [])

    assert plan == Plan(merged=[Merging(2, 1)])


def test_a_joined_thought_grows_until_it_is_full() -> None:
    full = thought(1, "likes", *(f"thing {n}" for n in range(MOST_TAILS)))
    some = thought(2, "likes", "tea", "jazz")

    plan = organise([full, some, thought(3, "likes", "rain")], [])

    assert plan.joined == [Joining((2, 3), "Alice", "likes", ("tea", "jazz", "rain"))]


def test_many_tails_are_joined_in_packs() -> None:
    plan = organise([thought(n, "likes", f"thing {n}") for n in range(40)], [])

    assert [len(one.tails) for one in plan.joined] == [16, 16, 8]


def test_near_duplicates_of_one_head_leave_the_newest() -> None:
    members = [thought(n, None) for n in (1, 2, 3)]
    members = [replace(one, text="I went to the beach") for one in members]

    plan = organise(members, [(1, 2), (2, 3), (3, 1)])

    assert plan == Plan(merged=[Merging(1, 3), Merging(2, 3)])


def test_another_number_is_another_statement() -> None:
    members = [replace(thought(n, None), text=f"I ran {n} miles") for n in (5, 6)]

    assert organise(members, [(5, 6)]) == Plan()


def test_nothing_is_done_across_heads_agents_or_buckets() -> None:
    one = replace(thought(1, "likes", "tea"), text="same")
    for other in (
        replace(one, ordinal=2, head="Bob"),
        replace(one, ordinal=2, agent_id="coach"),
        replace(one, ordinal=2, bucket=4),
    ):
        assert organise([one, other], [(1, 2)]) == Plan()


def test_what_was_organised_needs_nothing_more() -> None:
    members = [thought(1, "likes", "tea", "jazz"), thought(2, "lives in", "Rome"), thought(3, None)]

    assert organise(members, []) == Plan()


def test_a_joined_text_is_a_sentence() -> None:
    assert joined_text("Alice", "likes", ["tea"]) == "Alice likes tea."
    assert (
        joined_text("Alice", "likes", ["tea", "jazz", "rain"]) == "Alice likes tea, jazz and rain."
    )
