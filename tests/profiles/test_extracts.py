"""Extracts: central sentences, keywords, names."""

from app.profiles.kernel import extracts
from app.profiles.kernel.extracts import Sentence, Term

STOP = {"i", "the", "a", "to", "of", "is", "my", "and", "you", "at", "in", "with", "do", "today"}


def sentence(text: str, source: int = 1, weight: float = 1.0) -> Sentence:
    words = [word for word in text.rstrip(".?!").split() if word.lower() not in STOP]
    return Sentence(text, source, tuple(word.lower() for word in words), tuple(words), weight)


DAY = [
    sentence("I planted tomatoes in the garden.", 1),
    sentence("The garden needs water and the tomatoes need sun.", 2),
    sentence("Do you like the garden?", 3),
    sentence("I watered the garden and the tomatoes.", 4),
    sentence("My train was late.", 5),
]


def test_the_most_central_sentence_is_about_what_most_are_about() -> None:
    (best,) = extracts.central(DAY, 1)

    assert DAY[best].source in {1, 2, 4}


def test_a_second_sentence_says_something_else() -> None:
    twins = [sentence("The garden grows tomatoes.", i) for i in range(3)]
    other = sentence("The garden train was late.", 9)

    chosen = extracts.central([*twins, other], 2)

    assert {twins[0].source, 9} == {[*twins, other][i].source for i in chosen}


def test_chosen_sentences_stand_in_their_order() -> None:
    chosen = extracts.central(DAY, 3)

    assert chosen == sorted(chosen)
    assert len(chosen) == 3


def test_questions_and_answers_of_others_count_less() -> None:
    asked = [sentence("Is the garden large?", 1), sentence("The garden is large.", 2)]
    heard = [sentence("The garden is large.", 1, weight=0.5), sentence("The garden is large.", 2)]

    assert [asked[i].source for i in extracts.central(asked, 1)] == [2]
    assert [heard[i].source for i in extracts.central(heard, 1)] == [2]


def test_nothing_is_central_to_nothing() -> None:
    assert extracts.central([], 3) == []
    assert extracts.central([Sentence("…", 1, (), ())], 3) == []


def test_keywords_are_frequent_here_and_rare_elsewhere() -> None:
    frequency = {"garden": 3, "tomatoes": 3, "late": 900, "train": 900}

    found = extracts.keywords(DAY, frequency, 1_000, most=2)

    assert {term.text for term in found} == {"garden", "tomatoes"}
    assert next(term for term in found if term.text == "tomatoes").sources == (1, 2, 4)


def test_names_stand_inside_sentences_with_a_capital() -> None:
    said = [
        sentence("Yesterday Anna met Ben in Berlin.", 1),
        sentence("Then I'm off; Anna says Sunday. Will she?", 2),
        sentence("Bread and a Bread knife; bread again.", 3),
    ]

    found = extracts.names(said, most=9)

    assert [(term.text, term.count, term.sources) for term in found[:1]] == [("Anna", 2, (1, 2))]
    assert {term.text for term in found} == {"Anna", "Ben", "Berlin", "Sunday"}


def test_terms_add_up_over_days() -> None:
    days = [Term("garden", 2, (1, 2)), Term("train", 1, (3,)), Term("garden", 1, (7,))]

    found = extracts.joined(days, most=1, sources=2)

    assert found == [Term("garden", 3, (2, 7))]


def test_a_topics_best_terms_are_its_own() -> None:
    own = extracts.counted(DAY)
    frequency = {stem: 500 if stem in {"need", "needs"} else 3 for stem in own}

    best = extracts.class_terms(own, frequency, most=3)

    assert [term.text for term in best[:2]] == ["garden", "tomatoes"]


def test_a_term_shows_its_usual_form() -> None:
    said = [
        Sentence("Paint it.", 1, ("paint",), ("Paint",)),
        Sentence("We painted and painted.", 2, ("paint", "paint"), ("painted", "painted")),
    ]

    assert extracts.counted(said) == {"paint": Term("painted", 3, (1, 2))}


def test_a_long_sentence_is_one_line_and_cut() -> None:
    assert extracts.shortened("one\n two") == "one two"
    assert len(extracts.shortened("word " * 200)) <= 300
