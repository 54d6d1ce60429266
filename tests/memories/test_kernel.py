from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from app.embeddings.kernel import byte_windows
from app.memories.kernel import (
    Statement,
    date_words,
    dense_text,
    lexical_text,
    plan_keys,
    spoken,
)

NIGHT = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
ZONE = ZoneInfo("UTC")


def test_a_date_is_written_as_people_ask_for_it_in_the_owners_zone() -> None:
    assert date_words(NIGHT, ZONE) == "31 December 2026"
    assert date_words(NIGHT, ZoneInfo("Europe/Berlin")) == "1 January 2027"


def test_a_turn_is_spoken_with_its_speaker_where_there_is_one() -> None:
    assert spoken("Hello.", "Alice") == "Alice: Hello."
    assert spoken("Hello.", None) == "Hello."


def test_a_short_memory_has_one_key_with_the_turn_before_and_the_date() -> None:
    statement = Statement("She sleeps.", "Alice", NIGHT, "Bob: How is she?")

    (plan,) = plan_keys(statement, [(0, len("Alice: She sleeps."))], ZONE)

    assert (plan.kind, plan.start, plan.stop) == ("value", 0, len("She sleeps."))
    assert plan.lexical_text == "Bob: How is she? Alice: She sleeps. 31 December 2026"


def test_further_keys_leave_out_speaker_and_turn_before() -> None:
    statement = Statement("abc def ghi", "A", NIGHT, "before")

    first, second = plan_keys(statement, [(0, 7), (3, 14)], ZONE)

    assert (first.kind, first.start, first.stop) == ("chunk", 0, 4)
    assert first.lexical_text == "before A: abc  31 December 2026"
    assert (second.start, second.stop) == (0, 11) or second.start > 0
    assert dense_text("abc def ghi", "A", 4, 11) == "def ghi"
    assert lexical_text(statement, 4, 11, ZONE) == "def ghi 31 December 2026"


@given(content=st.text(min_size=1, max_size=3_000), name=st.none() | st.text("Añ日", min_size=1))
def test_the_keys_cover_the_whole_content(content: str, name: str | None) -> None:
    windows = byte_windows(spoken(content, name), limit=100, overlap=20).spans

    plans = plan_keys(Statement(content, name, NIGHT, None), windows, ZONE)

    assert plans[0].start == 0
    assert plans[-1].stop == len(content)
    covered = 0
    for plan in plans:
        assert plan.start <= covered
        covered = max(covered, plan.stop)
    assert covered == len(content)
