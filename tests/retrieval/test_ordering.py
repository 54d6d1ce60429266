"""Which of two passages came first, from where they stand."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.retrieval.kernel.ordering import Text, compare, locate

_DAY = datetime(2026, 1, 31, 9, 0, tzinfo=UTC)


def _text(
    ordinal: int,
    content: str,
    *,
    minute: int | None = None,
    session: str | None = "s",
    previous: int | None = None,
) -> Text:
    at = _DAY + timedelta(minutes=ordinal if minute is None else minute)
    return Text(ordinal, content, at, session, previous)


STORY = "The grey cat sat on the mat. A dog came in and barked. The cat ran up the tall tree."


def test_a_passage_is_located_by_its_words() -> None:
    places = locate("A dog came in", [_text(1, STORY), _text(2, "A bird sang.")])

    assert places[0].text.ordinal == 1
    assert STORY[places[0].start : places[0].stop] == "A dog came in"
    assert places[0].match > 0.9


def test_a_passage_with_words_left_out_is_located_all_the_same() -> None:
    place = locate("dog came barked", [_text(1, "A bird sang."), _text(2, STORY)])[0]

    assert place.text.ordinal == 2
    assert STORY[place.start :].startswith(("dog", "A dog"))


def test_a_passage_that_goes_on_in_the_next_memory_begins_in_the_first() -> None:
    first, second = "One two three four five six", "seven eight nine ten eleven twelve"
    texts = [_text(1, first), _text(2, second, previous=1)]

    place = locate("five six seven eight nine ten", texts)[0]

    assert place.text.ordinal == 1
    assert first[place.start :] == "five six"


def test_within_one_memory_the_offset_tells() -> None:
    texts = [_text(1, STORY)]
    dog, tree = locate("A dog came in", texts), locate("ran up the tall tree", texts)

    assert compare(dog, tree)[:2] == ("a", "offset")
    assert compare(tree, dog)[:2] == ("b", "offset")
    assert compare(dog, tree).confidence > 0.9


def test_time_tells_before_the_order_of_writing_does() -> None:
    late = _text(1, "The grey cat sat there.", minute=60)
    early = _text(2, "A dog came in.", minute=0)
    cat, dog = locate("grey cat sat", [late, early]), locate("A dog came", [late, early])

    assert compare(cat, dog)[:2] == ("b", "time")


def test_at_one_time_the_order_within_the_session_tells() -> None:
    texts = [
        _text(1, "The grey cat sat there.", minute=0),
        _text(2, "A dog came in.", minute=0, previous=1),
    ]
    cat, dog = locate("grey cat sat", texts), locate("A dog came", texts)

    assert compare(dog, cat)[:2] == ("b", "sequence")


def test_at_one_time_in_two_sessions_nothing_tells() -> None:
    texts = [
        _text(1, "The grey cat sat there.", minute=0, session="s"),
        _text(2, "A dog came in.", minute=0, session="t"),
    ]
    cat, dog = locate("grey cat sat", texts), locate("A dog came", texts)

    assert compare(cat, dog) == (None, None, 0.5)


def test_what_is_not_found_has_no_order() -> None:
    texts = [_text(1, STORY)]

    assert compare(locate("A dog came in", texts), locate("quantum physics", texts)).first is None
    assert compare(locate("", texts), locate("A dog", texts)).confidence == 0.5
    assert locate("anything", []) == []


def test_a_place_that_is_as_good_elsewhere_makes_the_answer_less_sure() -> None:
    once = [_text(1, "The rain fell all day."), _text(2, "A dog came in."), _text(3, "Silence.")]
    twice = [*once[:2], _text(3, "The rain fell all day.")]

    sure = compare(locate("The rain fell all day", once), locate("A dog came in", once))
    unsure = compare(locate("The rain fell all day", twice), locate("A dog came in", twice))

    assert sure.first == unsure.first == "a"
    assert unsure.confidence < sure.confidence


@given(st.text(max_size=30), st.lists(st.text(max_size=40), max_size=4))
def test_swapping_the_passages_swaps_the_answer(passage: str, contents: list[str]) -> None:
    texts = [_text(n, content) for n, content in enumerate(contents, 1)]
    a, b = locate(passage, texts), locate("the end of " + passage, texts)

    there, back = compare(a, b), compare(b, a)

    assert {there.first, back.first} in ({"a", "b"}, {None})
    assert there.confidence == back.confidence
    assert all(0 <= place.match <= 1 for place in (*a, *b))
    assert all(0 <= place.start <= place.stop <= len(place.text.content) for place in (*a, *b))
