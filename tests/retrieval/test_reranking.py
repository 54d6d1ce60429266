"""The second stage: what each feature reads, and what keeps it from reading too much."""

import json
from collections.abc import Sequence
from dataclasses import fields
from importlib import resources
from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.retrieval.kernel.candidates import Candidate
from app.retrieval.kernel.reranking import (
    MOST_PEOPLE,
    Asked,
    Weights,
    WeightSets,
    named_speaker,
    people_among,
    rerank,
    weights_of,
    with_assistant,
)
from tests.retrieval.candidates import candidate

FEATURES = [field.name for field in fields(Weights)]
EVEN = Weights(**dict.fromkeys(FEATURES, 1.0))
TWO_SETS = WeightSets(EVEN, EVEN, EVEN, EVEN)


def _only(**weights: float) -> WeightSets:
    """Return weights among which only the named features count."""
    held = Weights(**{name: weights.get(name, 0.0) for name in FEATURES})
    return WeightSets(held, held, held, held)


def _asked(
    text: str = "",
    *,
    dates: Sequence[float] | None = None,
    time_words: Sequence[bool] | None = None,
    tokens: Sequence[float] | None = None,
) -> Asked:
    return Asked(text=text, dates=dates, time_words=time_words, tokens=tokens)


def _rerank(
    candidates: Sequence[Candidate], sets: WeightSets = TWO_SETS, asked: Asked | None = None
) -> dict[int, Candidate]:
    """Return what the second stage makes of candidates, by ordinal."""
    scored = rerank(candidates, asked or _asked(), sets, most=len(candidates))
    return {one.ordinal: one for one in scored}


def test_no_candidates_are_no_error() -> None:
    assert rerank([], _asked("anything"), TWO_SETS, most=10) == []


def test_words_and_meaning_count_as_shares_of_the_best() -> None:
    scored = _rerank(
        [candidate(1, lexical=8, cosine=0.2), candidate(2, lexical=2, cosine=0.8)],
        _only(lexical=1, cosine=3),
    )

    assert scored[1].features == pytest.approx({"lexical": 0.25, "cosine": 0.75 * 0.25})
    assert scored[2].features == pytest.approx({"lexical": 0.25 * 0.25, "cosine": 0.75})


def test_the_best_in_everything_scores_one() -> None:
    best = candidate(1, "On Monday.", lexical=3, cosine=0.9, name="Ann", session="a")
    other = candidate(2, lexical=1, cosine=0.1, name="Bob", session="b")
    asked = _asked(
        "When did Ann go?", dates=[1.0, 0.0], time_words=[True, False], tokens=[0.6, 0.3]
    )

    scored = _rerank([best, other], asked=asked)

    assert scored[1].score == pytest.approx(1 - 1 / (len(FEATURES) - 1))  # it is no question
    assert _rerank([best, other], _only(lexical=1, cosine=1, speaker=1), asked)[1].score == 1


def test_what_an_arm_did_not_find_counts_as_the_least() -> None:
    scored = _rerank(
        [
            candidate(1, lexical=4),
            candidate(2, cosine=0.8),
            candidate(3, lexical=1, cosine=0.4),
        ],
        _only(lexical=1, cosine=1),
    )

    assert scored[2].features["lexical"] == 0
    assert scored[1].features["cosine"] == scored[3].features["cosine"] == pytest.approx(0.25)


def test_an_arm_that_found_nothing_at_all_takes_nothing_from_a_score() -> None:
    without_vectors = _rerank([candidate(1, lexical=4), candidate(2, lexical=2)])
    without_words = _rerank([candidate(1, cosine=0.4), candidate(2, cosine=0.2)])

    assert {"lexical", "session_lexical", "question"} == set(without_vectors[1].features)
    assert {"cosine", "session_cosine", "question"} == set(without_words[1].features)
    assert _rerank([candidate(1, lexical=4)], _only(lexical=1, cosine=9))[1].score == 1


def test_opposite_meaning_counts_as_none() -> None:
    scored = _rerank([candidate(1, cosine=-0.5), candidate(2, cosine=-0.1)], _only(cosine=1))

    assert [one.features["cosine"] for one in scored.values()] == [0, 0]
    assert all(one.score > 0 for one in scored.values())


def test_tokens_count_by_their_place_between_the_least_and_the_best() -> None:
    found = [candidate(1), candidate(2), candidate(3)]

    scored = _rerank(found, _only(tokens=1), _asked(tokens=[0.3, 0.7, 0.6]))
    alike = _rerank(found, _only(tokens=1), _asked(tokens=[0.5, 0.5, 0.5]))
    nearly = _rerank(found, _only(tokens=1), _asked(tokens=[0.5, 0.501, 0.5]))

    assert [scored[n].features["tokens"] for n in (1, 2, 3)] == pytest.approx([0, 1, 0.75])
    assert [alike[n].features["tokens"] for n in (1, 2, 3)] == [1, 1, 1]
    assert nearly[1].features["tokens"] > 0.99


def test_turns_right_before_and_after_in_the_session_lend_their_tokens() -> None:
    found = [
        candidate(4, session="a"),
        candidate(5, session="a"),
        candidate(6, session="b"),
        candidate(7),
        candidate(8),
    ]

    scored = _rerank(found, _only(neighbours=1), _asked(tokens=[0.8, 0.4, 0.6, 0.8, 0.6]))

    values = [scored[n].features["neighbours"] for n in (4, 5, 6, 7, 8)]
    assert values == pytest.approx([0, 0.5, 0, 0, 0])


@pytest.mark.parametrize("is_assistant", [True, False])
@pytest.mark.parametrize("with_tokens", [True, False])
def test_without_tokens_other_weights_count(*, is_assistant: bool, with_tokens: bool) -> None:
    names = ("lexical", "cosine", "speaker", "question")
    sets = WeightSets(*[_only(**{name: 1}).people for name in names])
    expected = names[is_assistant + 2 * (not with_tokens)]

    weights = sets.fitting(is_assistant=is_assistant, with_tokens=with_tokens)

    assert [name for name in FEATURES if getattr(weights, name)] == [expected]


def test_a_question_goes_behind_an_answer() -> None:
    scored = _rerank(
        [candidate(1, "Do I like tea? ", lexical=1), candidate(2, "I like tea.", lexical=1)],
        _only(lexical=1, question=-0.1),
    )

    assert scored[1].features["question"] == pytest.approx(-0.1)
    assert scored[1].score == pytest.approx(0.9)
    assert scored[2].score == 1


def test_a_session_speaks_through_its_three_best() -> None:
    of_a = [candidate(n, lexical=value, session="a") for n, value in enumerate([9, 6, 3, 0], 1)]
    alone = candidate(5, lexical=9, session="b")
    without = candidate(6, lexical=9)

    scored = _rerank([*of_a, alone, without], _only(session_lexical=1))

    assert [scored[n].score for n in (1, 2, 3, 4)] == [1, 1, 1, 1]
    assert scored[5].score == scored[6].score == pytest.approx(0.5)  # (9 + 0 + 0) of (9 + 6 + 3)


def test_dates_and_words_of_time_are_taken_as_they_were_read() -> None:
    found = [candidate(1, lexical=1), candidate(2, lexical=1)]

    scored = _rerank(
        found,
        _only(lexical=1, date=2, time_words=1),
        _asked(dates=[0.3, 1.0], time_words=[True, False]),
    )

    assert scored[1].features == pytest.approx({"lexical": 0.25, "date": 0.15, "time_words": 0.25})
    assert scored[2].features == pytest.approx({"lexical": 0.25, "date": 0.5, "time_words": 0})
    assert set(_rerank(found)[1].features).isdisjoint({"date", "time_words", "speaker"})


def test_the_person_a_question_names_goes_first() -> None:
    scored = _rerank(
        [
            candidate(1, lexical=1, name="Ann"),
            candidate(2, lexical=1, name="Bob"),
            candidate(3, lexical=1),
        ],
        _only(lexical=1, speaker=1),
        _asked("What does BOB like?"),
    )

    assert [scored[n].features["speaker"] for n in (1, 2, 3)] == [0, 0.5, 0]


@pytest.mark.parametrize(
    ("text", "names", "expected"),
    [
        ("What does Ann like?", ["Ann", "Bob"], "ann"),
        ("what does ann like?", ["Ann", "Bob"], "ann"),
        ("What is Ann's car?", ["Ann", "ann", "Bob", None, ""], "ann"),
        ("What does Mrs Smith like?", ["Ann Smith", "Bob Jones"], "ann smith"),
        ("What does Anne like?", ["Anne-Marie", "Bob"], "anne-marie"),
        ("What does Mel like?", ["Melanie", "Caroline"], "melanie"),
        ("What does MEL like?", ["Melanie", "Caroline"], "melanie"),
        ("What will Bob like?", ["Will", "Bob"], "bob"),
        ("what will be?", ["Will", "Bob"], "will"),
        ("Was liebt Özlem?", ["Özlem", "Bob"], "özlem"),
    ],
)
def test_one_person_is_named(text: str, names: list[str | None], expected: str) -> None:
    assert named_speaker(text, names) == expected


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ["Ann"]),
        ("What do Ann and Bob like?", ["Ann", "Bob"]),
        ("what do ann and bob like?", ["Ann", "Bob"]),
        ("What does Smith like?", ["Ann Smith", "Bob Smith"]),
        ("What does Me like?", ["Melanie"]),
        ("What does Mel like?", ["Melanie", "Melchior"]),
        ("What does Annabel like?", ["Ann", "Bob"]),
        ("What does Ann like?", []),
        ("What does Ann like?", [None, ""]),
        ("What does Ann like?", ["Bob"]),
        # Ordinary words that begin a name are no nicknames.
        ("The dog and the cat: who was fed?", ["Theo", "Andrew", "Whoopi"]),
        ("Which car did she buy?", ["Caroline", "Melanie"]),
        # Names without letters name nobody.
        ("...?", ["...", "?"]),
    ],
)
def test_nobody_is_named(text: str, names: list[str | None]) -> None:
    assert named_speaker(text, names) is None


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["Hey Mel, how was it?", "Thanks, MEL!"], "melanie"),
        (["Hey Mel!", "The mel scale is for sounds."], None),
        (["Hey Melanie!"], None),
    ],
)
def test_a_nickname_in_small_letters_counts_where_the_talk_writes_it_as_a_name(
    texts: list[str], expected: str | None
) -> None:
    people = ["Melanie", "Caroline"]

    assert named_speaker("what does mel like?", people, texts=texts) == expected
    assert named_speaker("which car did she buy?", people, texts=["My car broke."]) is None


def test_more_names_than_people_in_a_talk_are_titles() -> None:
    people = [f"Ann{number}" for number in range(MOST_PEOPLE)]

    assert named_speaker("What does Ann3 like?", people) == "ann3"
    assert named_speaker("What does Ann3 like?", [*people, "Bob"]) is None
    assert people_among([*people, "Bob"]) == {}


def test_with_titles_for_names_no_score_depends_on_them() -> None:
    found = [candidate(n, lexical=1, name=f"Ann {n}") for n in range(MOST_PEOPLE + 1)]

    scored = _rerank(found, asked=_asked("What does Ann 3 like?"))

    assert all("speaker" not in one.features for one in scored.values())


def test_with_an_assistant_the_user_is_the_one_who_speaks() -> None:
    found = [
        candidate(1, cosine=1, role="user", name="user"),
        candidate(2, cosine=1, role="assistant", name="assistant"),
        candidate(3, cosine=1, role="tool"),
    ]
    of_people, of_assistant = _only(cosine=1).people, _only(speaker=1).assistant
    sets = WeightSets(of_people, of_assistant, of_people, of_assistant)

    scored = _rerank(found, sets, _asked("What did the assistant say?"))

    assert [scored[n].features for n in (1, 2, 3)] == [
        {"speaker": 1},
        {"speaker": 0},
        {"speaker": 0},
    ]
    assert set(_rerank(found[:1], sets)[1].features) == {"cosine"}


@pytest.mark.parametrize(
    ("of_assistant", "others", "expected"),
    [(0, 0, False), (0, 9, False), (1, 9, True), (1, 10, False), (2, 18, True), (3, 0, True)],
)
def test_a_tenth_makes_it_a_talk_with_an_assistant(
    of_assistant: int, others: int, *, expected: bool
) -> None:
    found = [candidate(role="assistant")] * of_assistant + [candidate(role="user")] * others

    assert with_assistant(found) is expected


def test_only_so_many_are_returned_best_first_and_older_first_among_equals() -> None:
    found = [candidate(n, lexical=value) for n, value in ((4, 1.0), (3, 1.0), (2, 9.0), (1, 0.5))]

    best = rerank(found, _asked(), _only(lexical=1), most=3)

    assert [one.ordinal for one in best] == [2, 3, 4]


def test_without_any_weight_all_are_worth_a_little() -> None:
    assert [one.score > 0 for one in _rerank([candidate(1)], _only()).values()] == [True]


def test_what_else_is_known_of_a_candidate_stays() -> None:
    one = candidate(7, "Green tea.", lexical=1, name="Ann", session="s")

    kept = _rerank([one])[7]

    assert kept._replace(score=one.score, features=one.features) == one


NUMBERS = st.floats(min_value=0, max_value=1e6) | st.just(5e-324)
COSINES = st.floats(min_value=-1, max_value=1)
CANDIDATES = st.lists(
    st.builds(
        candidate,
        st.integers(1, 10_000),
        st.sampled_from(["Tea.", "Tea?", "", " ?\n", "on Monday"]),
        lexical=st.none() | NUMBERS,
        cosine=st.none() | COSINES,
        name=st.none() | st.sampled_from(["Ann", "Bob", "Ann Lee", "", "…"]),
        role=st.none() | st.sampled_from(["user", "assistant"]),
        session=st.none() | st.sampled_from(["a", "b"]),
    ),
    unique_by=lambda one: one.ordinal,
    max_size=15,
)
WEIGHTS = st.builds(
    Weights,
    **{name: st.floats(0, 10) for name in FEATURES if name != "question"},
    question=st.floats(-1, 0),
)


@given(found=CANDIDATES, weights=WEIGHTS, data=st.data())
def test_any_candidates_score_between_0_and_1_by_what_is_shown(
    found: list[Candidate], weights: Weights, data: st.DataObject
) -> None:
    shares = st.lists(st.floats(0, 1), min_size=len(found), max_size=len(found))
    flags = st.lists(st.booleans(), min_size=len(found), max_size=len(found))
    asked = _asked(
        data.draw(st.sampled_from(["", "Ann", "Ann and Bob", "bob?"])),
        dates=data.draw(st.none() | shares),
        time_words=data.draw(st.none() | flags),
        tokens=data.draw(st.none() | shares),
    )

    scored = rerank(found, asked, WeightSets(*[weights] * 4), most=len(found))

    assert sorted(one.ordinal for one in scored) == sorted(one.ordinal for one in found)
    assert [one.score for one in scored] == sorted((one.score for one in scored), reverse=True)
    for one in scored:
        assert isfinite(one.score)
        assert 0 < one.score <= 1
        shown = sum(one.features.values())
        assert one.score == pytest.approx(min(1.0, max(0.0, shown)), abs=1e-6)


@given(found=CANDIDATES, data=st.data())
def test_the_order_in_which_candidates_come_does_not_matter(
    found: list[Candidate], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(found))

    there = _rerank(found, asked=_asked("What does Ann like?"))
    here = _rerank(shuffled, asked=_asked("What does Ann like?"))

    assert {n: one.score for n, one in there.items()} == pytest.approx(
        {n: one.score for n, one in here.items()}
    )


@pytest.mark.parametrize("profile", ["people", "assistant"])
def test_a_file_of_weights_holds_every_feature_and_nothing_else(profile: str) -> None:
    file = resources.files("app.retrieval").joinpath("weights", f"{profile}.json")
    held = json.loads(file.read_text("utf-8"))

    assert set(held) == set(FEATURES)
    weights = weights_of(held)
    assert weights.question <= 0
    assert all(getattr(weights, name) >= 0 for name in FEATURES if name != "question")


@pytest.mark.parametrize("wrong", [{}, {**dict.fromkeys(FEATURES, 1.0), "unknown": 1.0}])
def test_weights_that_lack_a_feature_or_know_another_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(TypeError):
        weights_of(wrong)
