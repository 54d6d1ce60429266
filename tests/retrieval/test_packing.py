"""Packing lines into a budget: never over it, nothing twice, in order of time."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.retrieval.kernel.context import (
    RECENT_SHARE,
    Line,
    Packed,
    ProfileLine,
    line,
    pack,
    pack_all,
)

START = datetime(2026, 1, 31, 9, tzinfo=UTC)


def _line(number: int, tokens: int) -> Line:
    return Line(UUID(int=number), START + timedelta(minutes=number), f"line {number}", tokens)


_prices = st.lists(st.integers(1, 30), max_size=12)


def _spent(packed: Packed, heading_tokens: int) -> int:
    sections = [packed.recent, packed.recalled]
    lines = sum(one.tokens for section in sections for one in section)
    return lines + heading_tokens * sum(bool(section) for section in sections)


@given(
    recent=_prices,
    recalled=st.lists(st.tuples(st.integers(0, 20), st.integers(1, 30)), max_size=12),
    budget=st.integers(1, 200),
    heading_tokens=st.integers(0, 5),
)
def test_what_is_packed_fits_once_and_in_order(
    recent: list[int], recalled: list[tuple[int, int]], budget: int, heading_tokens: int
) -> None:
    turns = [_line(number, tokens) for number, tokens in enumerate(recent)]
    by_number = {number: _line(number, tokens) for number, tokens in recalled}
    by_number.update({number: turns[number] for number in by_number if number < len(turns)})
    hits = list(by_number.values())

    packed = pack(turns, hits, budget=budget, heading_tokens=heading_tokens)

    assert _spent(packed, heading_tokens) <= budget
    ids = [one.memory_id for one in [*packed.recent, *packed.recalled]]
    assert len(ids) == len(set(ids))
    for section in (packed.recent, packed.recalled):
        assert list(section) == sorted(section, key=lambda one: one.occurred_at)
    assert set(packed.recent) <= set(turns)
    assert set(packed.recalled) <= set(hits)
    # The turns are the last ones, without a gap but for those that stand among the memories.
    shown = set(packed.recent) | set(packed.recalled)
    if packed.recent:
        first = turns.index(packed.recent[0])
        assert set(turns[first:]) <= shown
    left = budget - _spent(packed, heading_tokens) - (0 if packed.recent else heading_tokens)
    missing = [turn for turn in turns if turn not in shown]
    assert not missing or missing[-1].tokens > left


def test_the_newest_turns_and_the_best_memories_come_first() -> None:
    turns = [_line(number, 10) for number in range(10)]
    hits = [_line(number, 10) for number in (57, 51, 59, 53)]

    packed = pack(turns, hits, budget=50, heading_tokens=0)

    assert packed.recent == (turns[8], turns[9])
    assert packed.recalled == (hits[1], hits[0], hits[2])


def test_turns_take_their_share_and_what_the_memories_leave() -> None:
    turns = [_line(number, 10) for number in range(20)]

    assert len(pack(turns, [], budget=100, heading_tokens=0).recent) == 10
    hits = [_line(number, 10) for number in range(50, 70)]
    packed = pack(turns, hits, budget=100, heading_tokens=0)
    assert len(packed.recent) == round(10 * RECENT_SHARE)
    assert len(packed.recalled) == 10 - round(10 * RECENT_SHARE)


def test_a_line_too_long_is_passed_over_among_memories_and_ends_the_turns() -> None:
    hits = [_line(51, 500), _line(52, 10)]
    assert pack([], hits, budget=30, heading_tokens=2).recalled == (hits[1],)

    turns = [_line(1, 5), _line(2, 500), _line(3, 5)]
    assert pack(turns, [], budget=30, heading_tokens=2).recent == (turns[2],)


def test_turns_have_the_whole_room_when_nothing_was_recalled() -> None:
    turns = [_line(1, 5), _line(2, 80)]
    assert pack(turns, [], budget=100, heading_tokens=2).recent == tuple(turns)


def test_a_line_has_a_date_a_speaker_and_one_line_of_words() -> None:
    moment = datetime(2026, 1, 31, 9, 5, tzinfo=UTC)
    assert line("two\n\n lines\tof  words ", "Alice", moment) == (
        "- [2026-01-31 09:05] Alice: two lines of words"
    )
    assert line("words", None, moment) == "- [2026-01-31 09:05] words"


def test_what_no_line_of_the_profile_fits_belongs_to_the_memories() -> None:
    memories = [_line(1, 40), _line(2, 40)]
    long = ProfileLine("too long", 60, None)

    packed, told = pack_all([long], [], memories, budget=100, profile_share=0.3, headings=(5, 5))

    assert told == ()
    assert [one.memory_id for one in packed.recalled] == [one.memory_id for one in memories]
