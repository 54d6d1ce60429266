"""Thoughts by rule: what is read as a triple, what is kept as a sentence, what is passed over."""

import time

import pytest

from app.kit.statements import MOST, Statement, read


def of(sentence: str, language: str = "en") -> list[Statement]:
    return read([sentence], speaker="Alice", language=language)


@pytest.mark.parametrize(
    ("sentence", "triple"),
    [
        ("I live in Berlin.", ("Alice", "lives in", "Berlin")),
        ("I just moved to Rome last week", ("Alice", "lives in", "Rome")),
        ("My name is Alice Miller.", ("Alice", "is named", "Alice Miller")),
        ("I'm a nurse.", ("Alice", "works as", "a nurse")),
        ("I'm a vegetarian.", ("Alice", "is", "a vegetarian")),
        ("My favorite band is The Cure!", ("Alice", "favourite band is", "The Cure")),
        ("I work at Siemens as an engineer.", ("Alice", "works at", "Siemens")),
        ("I\u2019m 32 years old.", ("Alice", "is aged", "32")),
        ("My sister lives in Lyon.", ("Alice's sister", "lives in", "Lyon")),
        ("My dog's name is Rex.", ("Alice's dog", "is named", "Rex")),
        ("My dog is called Rex.", ("Alice's dog", "is named", "Rex")),
        ("Bob plays the cello.", ("Bob", "plays", "the cello")),
        ("I really love jazz, especially Miles Davis.", ("Alice", "loves", "jazz")),
        ("I usually play CS:GO.", ("Alice", "plays", "CS:GO")),
        ("I don't like mushrooms.", ("Alice", "dislikes", "mushrooms")),
        ("I've got a cat called Miso.", ("Alice", "has", "a cat called Miso")),
        ("I adopted a grey cat.", ("Alice", "adopted", "a grey cat")),
        ("Well, I'm originally from Ghana.", ("Alice", "is from", "Ghana")),
        ("I'm allergic to nuts because of my genes.", ("Alice", "is allergic to", "nuts")),
        ("We've just moved to Bern!", ("Alice", "lives in", "Bern")),
        ("I'm now based in the Bay Area.", ("Alice", "lives in", "the Bay Area")),
        ("My new flat is in Paris.", ("Alice", "lives in", "Paris")),
        ("I got a new job at a bank.", ("Alice", "works at", "a bank")),
        ("I became a nurse last year.", ("Alice", "works as", "a nurse")),
        ("I'm a student at Yale.", ("Alice", "studies at", "Yale")),
        ("I turned 35 yesterday!", ("Alice", "is aged", "35")),
        ("Please call me Al.", ("Alice", "goes by", "Al")),
        ("Dune is my favourite film.", ("Alice", "favourite film is", "Dune")),
        ("My wife's name is Eve Hart.", ("Alice's wife", "is named", "Eve Hart")),
        ("My husband is Paul.", ("Alice", "is married to", "Paul")),
        ("My new boss is Greta.", ("Alice", "boss is", "Greta")),
        ("My phone number is 555 0134.", ("Alice", "phone number is", "555 0134")),
        ("My email address is now al@new.example.", ("Alice", "email is", "al@new.example")),
        ("My car is a red Golf.", ("Alice", "drives", "a red Golf")),
        ("My mum has moved to Nice.", ("Alice's mum", "lives in", "Nice")),
        ("I'm planning to visit Japan next year.", ("Alice", "wants to", "visit Japan")),
    ],
)
def test_a_plain_statement_is_read_as_a_triple(sentence: str, triple: tuple[str, str, str]) -> None:
    found = of(sentence)

    assert [(one.head, one.relation, one.tail) for one in found] == [triple]
    assert found[0].text == sentence


@pytest.mark.parametrize(
    "sentence",
    ["We went to the beach with the kids.", "I ran 5 miles today!", "I like that idea a lot.",
     "I no longer live in Berlin.", "I don't live in Rome.",
     "I loved that book as a kid.", "I love seeing them eat fruit.", "I love your garden.",
     "I love running my own studio.",
     "I lived in Porto as a student.", "I used to live in Rome.",
     "I moved to the couch for a rest.",
     "I'm living in constant fear.", "I work at night mostly.", "I also work at a bar.",
     "I moved to Rome when I was six.", "I was dating Paul when we met.",
     "My wife is German and lovely.", "My favourite part is the ending.",
     "I'm living in Rome for two weeks."],
)  # fmt: skip
def test_what_is_no_certain_triple_is_kept_as_the_speakers_sentence(sentence: str) -> None:
    assert of(sentence) == [Statement(sentence, "Alice")]


@pytest.mark.parametrize(
    "sentence",
    ["Do I like tea?", "Thanks!", "I think so too, really.", "It has a name.", "Yesterday was fun.",
     "I can't wait to see you!", "She lives in Rome.", "\u201cDo I live in Rome?\u201d", "", " "],
)  # fmt: skip
def test_questions_chatter_and_unknown_subjects_are_passed_over(sentence: str) -> None:
    assert of(sentence) == []


def test_each_clause_with_a_subject_of_its_own_is_a_thought() -> None:
    found = of("I live in Oslo and I work as a nurse, but my brother lives in Bergen.")

    assert [(one.head, one.relation, one.tail) for one in found] == [
        ("Alice", "lives in", "Oslo"),
        ("Alice", "works as", "a nurse"),
        ("Alice's brother", "lives in", "Bergen"),
    ]


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("de", "Ich wohne in Berlin."), ("und", "Jag bor i Oslo."),
     ("de", "\u6211\u4f4f\u5728\u67cf\u6797\u3002")],
)  # fmt: skip
def test_in_other_languages_a_sentence_is_a_thought_of_its_speaker(
    language: str, sentence: str
) -> None:
    assert of(sentence, language) == [Statement(sentence, "Alice")]


def test_a_long_memory_gives_no_more_than_the_most_thoughts() -> None:
    found = read([f"I live in Town{n}." for n in range(100)], speaker="Alice", language="en")

    assert len(found) == MOST


def test_reading_is_fast_and_does_not_backtrack() -> None:
    nasty = ["I really really " * 25, "my " * 160, "and but so well " * 30, "I am " + "a" * 490]

    started = time.perf_counter()
    for sentence in nasty * 50:
        of(sentence)

    assert (time.perf_counter() - started) / (len(nasty) * 50) < 0.002
