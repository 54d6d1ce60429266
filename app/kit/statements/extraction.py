"""Statements by rule: what a speaker states of himself, or of somebody named. Pure.

Source: Think-in-Memory, arXiv 2311.08719, section 3.2: thoughts behind each turn.
Deviation: the paper asks a language model; this is the form without one. It rather passes over a
sentence than read it wrongly, and a thought keeps the words in which it was said. English is read
as triples; in other languages every sentence long enough is a thought of its speaker.
"""

import re
from collections.abc import Callable, Iterable, Sequence

from app.kit.statements import patterns
from app.kit.statements.relations import fits, holds_once
from app.kit.statements.triples import Statement
from app.kit.statements.words import OCCUPATIONS

MOST = 16
"""Thoughts of one memory, at most."""
_TAIL_WORDS = 8
_LEAST_WORDS = 4
_LEAST_CHARACTERS = 6
_LONGEST = 500

_QUESTION = ("?", "\uff1f")
_CLOSING = "\"'\u201d\u2019)"
_EDGES = " \t\n.,!?;:\"'\u201c\u201d\u2026"

Found = tuple[str, str, str]
"""Head, relation, tail."""


def read(sentences: Iterable[str], *, speaker: str, language: str) -> list[Statement]:
    """Return the thoughts of what one speaker said.

    Args:
        sentences: what was said, sentence by sentence.
        speaker: who "I" is.
        language: ISO 639 code; ``en`` is read as triples.
    """
    of_sentence = _english if language == "en" else _any_language
    found: list[Statement] = []
    for sentence in sentences:
        is_question = sentence.rstrip(_CLOSING).endswith(_QUESTION)
        if len(sentence) <= _LONGEST and not is_question:
            found.extend(of_sentence(sentence, speaker))
        if len(found) >= MOST:
            break
    return found[:MOST]


def _any_language(sentence: str, speaker: str) -> list[Statement]:
    is_long = len(sentence.split()) >= _LEAST_WORDS - 1
    # Some scripts have no spaces between words.
    is_dense = not sentence.isascii() and len(sentence) >= _LEAST_CHARACTERS
    return [Statement(sentence, speaker)] if is_long or is_dense else []


def _english(sentence: str, speaker: str) -> list[Statement]:
    clauses = [clause for clause in patterns.CLAUSES.split(sentence) if clause]
    return [one for clause in clauses if (one := _of_clause(clause, speaker)) is not None]


def _of_clause(clause: str, speaker: str) -> Statement | None:
    for pattern in _PATTERNS:
        found = pattern(clause, speaker)
        if found is not None and not (holds_once(found[1]) and patterns.NOT_NOW.search(clause)):
            return Statement(clause, *found)
    says = patterns.FIRST_PERSON.match(clause) and not patterns.CHATTER.match(clause)
    return Statement(clause, speaker) if says and len(clause.split()) >= _LEAST_WORDS else None


def _its_name(clause: str, speaker: str) -> Found | None:
    match = patterns.ITS_NAME.match(clause)
    return _found(f"{speaker}'s {match['who']}", "is named", match["tail"]) if match else None


def _call_me(clause: str, speaker: str) -> Found | None:
    match = patterns.CALL_ME.match(clause)
    return _found(speaker, "goes by", match["tail"]) if match else None


def _favourite(clause: str, speaker: str) -> Found | None:
    match = patterns.FAVOURITE.match(clause) or patterns.IS_FAVOURITE.match(clause)
    relation = f"favourite {match['what'].lower()} is" if match else ""
    # A favourite part or moment is one of something that the sentence alone does not tell.
    return _found(speaker, relation, match["tail"]) if match and holds_once(relation) else None


def _own(clause: str, speaker: str) -> Found | None:
    match = patterns.OWN.match(clause)
    if match is None:
        return None
    return _found(speaker, _relation(match, patterns.OWN_RELATIONS), match["tail"])


def _first_person(clause: str, speaker: str) -> Found | None:
    match = patterns.FIRST.match(clause)
    return _found(speaker, _relation(match, _VERBS), match["tail"]) if match else None


def _kin(clause: str, speaker: str) -> Found | None:
    match = patterns.KIN.match(clause)
    if match is None:
        return None
    return _found(f"{speaker}'s {match['who']}", _relation(match, _VERBS), match["tail"])


def _named(clause: str, _speaker: str) -> Found | None:
    match = patterns.NAMED.match(clause)
    if match is None or patterns.NOBODY.match(match["who"]):
        return None
    return _found(match["who"], _relation(match, _VERBS), match["tail"])


_PATTERNS: tuple[Callable[[str, str], Found | None], ...] = (
    _its_name,
    _call_me,
    _favourite,
    _own,
    _first_person,
    _kin,
    _named,
)
_VERBS = tuple(relation for _, _, relation in patterns.VERBS)


def _relation(match: re.Match[str], relations: Sequence[str]) -> str:
    """Return the relation whose words were found."""
    number = next(
        int(name[1:])
        for name, text in match.groupdict().items()
        if name[0] == "r" and text is not None
    )
    return relations[number]


def _found(head: str, relation: str, rest: str) -> Found | None:
    """Return a triple, unless its tail is nothing, too much to be one thing, or unclear alone."""
    tail = patterns.TAIL_END.sub("", " " + rest).strip(_EDGES)
    if relation == "is" and tail.rpartition(" ")[2].lower() in OCCUPATIONS:
        relation = "works as"
    is_single = holds_once(relation)
    # The title of a favourite may hold any word.
    if (is_single and not relation.startswith("favourite")) or relation == "is from":
        tail = patterns.BESIDES.sub("", tail)
    tail = " ".join(tail.strip(_EDGES).split())
    if not tail or len(tail.split()) > _TAIL_WORDS or patterns.UNTOLD.search(tail):
        return None
    return None if is_single and not fits(relation, tail) else (head, relation, tail)
