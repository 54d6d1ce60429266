"""Thoughts by rule: what a speaker states of himself, or of somebody named. Pure.

Source: Think-in-Memory, arXiv 2311.08719, section 3.2: thoughts behind each turn.
Deviation: the paper asks a language model; this is the form without one. It rather passes over a
sentence than read it wrongly, and a thought keeps the words in which it was said. English is read
as triples; in other languages every sentence long enough is a thought of its speaker.
"""

import re
from collections.abc import Callable, Iterable

from app.thoughts.kernel.triples import Statement, is_functional

MOST = 16
"""Thoughts of one memory, at most."""
_TAIL_WORDS = 8
_LEAST_WORDS = 4
_LEAST_CHARACTERS = 6
_LONGEST = 500

_FILLER = (
    r"(?:(?:and|but|so|well|yes|yeah|yep|no|oh|wow|hey|hi|hello|thanks|actually|honestly|also|"
    r"by the way|anyway|recently|lately|currently|now)\b[\s,!.]*){0,3}"
)
_ADVERB = (
    r"(?:(?:really|also|still|just|currently|now|absolutely|actually|always|usually|often|"
    r"recently|finally|truly|especially)\s+){0,2}"
)
_AM = r"(?:am|'m|\u2019m)"
_HAVE = r"(?:(?:have|'ve|\u2019ve)\s+)?"
_MANY = r"(?=(?:an?|one|two|three|four|five|six|seven|\d+|some|several|many|lots)\b)"
_ONE = r"(?=(?:an?|the)\s+(?!bit\b|little\b|lot\b|few\b|couple\b|while\b|huge\b|big\b))"

# What the first person says ("live in"), what is said of others ("lives in"), and how it is kept.
_VERBS: tuple[tuple[str, str, str], ...] = (
    (rf"live\s+in|{_AM}\s+living\s+in|{_HAVE}moved\s+to", "lives in|moved to", "lives in"),
    (rf"work\s+(?:at|for)|{_AM}\s+working\s+(?:at|for)", "works (?:at|for)", "works at"),
    (rf"work\s+as|{_AM}\s+working\s+as", "works as", "works as"),
    (rf"study\s+at|{_AM}\s+studying\s+at", "studies at", "studies at"),
    (rf"{_AM}\s+(?:called|named)", "is (?:called|named)", "is named"),
    (rf"{_AM}\s+married\s+to", "is married to", "is married to"),
    (rf"{_AM}\s+engaged\s+to", "is engaged to", "is engaged to"),
    (rf"{_AM}\s+dating", "is dating", "is dating"),
    (rf"{_AM}\s+(?:originally\s+)?from|come\s+from", "is (?:originally )?from|comes from",
     "is from"),
    (r"was\s+born\s+in", "was born in", "was born in"),
    (r"was\s+born\s+on", "was born on", "was born on"),
    (rf"{_AM}\s+(?=\d{{1,3}}\b(?:\s+years\s+old)?[\s.,!]*$)", r"is (?=\d{1,3} years old\b)",
     "is aged"),
    (r"love", "loves", "loves"),
    (r"like(?!\s+(?:that|this|it|how|what)\b)", "likes", "likes"),
    (r"enjoy", "enjoys", "enjoys"),
    (r"prefer", "prefers", "prefers"),
    (r"hate|can(?:'|\u2019)?t\s+stand", "hates", "hates"),
    (r"(?:do\s+not|don(?:'|\u2019)t)\s+like|dislike", "dislikes|doesn't like", "dislikes"),
    (r"play(?!\s+(?:with|around)\b)", "plays", "plays"),
    (r"speak", "speaks", "speaks"),
    (r"collect", "collects", "collects"),
    (rf"{_AM}\s+learning|learn", "is learning", "is learning"),
    (rf"study|{_AM}\s+studying", "studies", "studies"),
    (rf"{_AM}\s+allergic\s+to", "is allergic to", "is allergic to"),
    (rf"{_AM}\s+(?:interested\s+in|into)", "is interested in", "is interested in"),
    (rf"{_AM}\s+afraid\s+of", "is afraid of", "is afraid of"),
    (rf"volunteer\s+(?:at|for)|{_AM}\s+volunteering\s+(?:at|for)", "volunteers (?:at|for)",
     "volunteers at"),
    (rf"{_HAVE}adopted\s+{_MANY}", rf"adopted\s+{_MANY}", "adopted"),
    (rf"(?:have|own|{_HAVE}got)\s+{_MANY}", "owns", "has"),
    (rf"want\s+to|{_AM}\s+planning\s+to|plan\s+to", "wants to|plans to", "wants to"),
    (rf"{_AM}\s+{_ONE}", "", "is"),
)  # fmt: skip

_FIRST = re.compile(
    rf"^{_FILLER}I\s*{_ADVERB}(?:"
    + "|".join(f"(?P<r{number}>{first})" for number, (first, _, _) in enumerate(_VERBS))
    + r")\b\s*(?P<tail>.+)$",
    re.IGNORECASE,
)
_THIRD_VERBS = "|".join(
    f"(?P<r{number}>{third})" for number, (_, third, _) in enumerate(_VERBS) if third
)
_KIN = re.compile(
    rf"^{_FILLER}my\s+(?P<who>[a-z][\w-]*(?:\s+[a-z][\w-]*)?(?:\s+[A-Z][\w-]+)?)\s+{_ADVERB}"
    rf"(?:{_THIRD_VERBS})\s+(?P<tail>.+)$",
    re.IGNORECASE,
)
_NAMED = re.compile(
    rf"^(?P<who>[A-Z][\w'\u2019-]+(?:\s+[A-Z][\w'\u2019-]+)?)\s+{_ADVERB}(?:{_THIRD_VERBS})"
    r"\s+(?P<tail>.+)$"
)
_MY_NAME = re.compile(rf"^{_FILLER}my\s+name\s*(?:is|'s|\u2019s)\s+(?P<tail>.+)$", re.IGNORECASE)
_ITS_NAME = re.compile(
    rf"^{_FILLER}my\s+(?P<who>[\w-]+(?:\s+[\w-]+)?)(?:'s|\u2019s)\s+name\s+is\s+(?P<tail>.+)$",
    re.IGNORECASE,
)
_FAVOURITE = re.compile(
    rf"^{_FILLER}my\s+favou?rite\s+(?P<what>[\w-]+(?:\s+[\w-]+){{0,2}})\s+is\s+(?P<tail>.+)$",
    re.IGNORECASE,
)
_FIRST_PERSON = re.compile(
    rf"^{_FILLER}(?:I|I['\u2019](?:m|ve)|we|we['\u2019](?:re|ve)|my|our)\s", re.IGNORECASE
)
_CHATTER = re.compile(
    rf"^{_FILLER}(?:I|we)\s+(?:really\s+|totally\s+|can\s+)?(?:think|guess|hope|know|see|agree|mean|"
    r"wonder|understand|bet|imagine|suppose|appreciate|wish|thought|can(?:'|\u2019)?t\s+wait|should|"
    r"could|would|will|might|may)\b",
    re.IGNORECASE,
)
_CLAUSES = re.compile(
    r"\s*;\s+|,?\s+(?:and|but|so)\s+(?=(?:I|my|we|our)(?:\s|['\u2019](?:m|ve|re)\b))"
)
_TAIL_END = re.compile(
    r"\s*(?:[,;(!?\u2014\u2026]|:\s|\s[-\u2013]\s|\.(?:\s|$)|\s(?:because|since|when|while|which|who|where|"
    r"but|so|though|although|if|until|after|before|now|nowadays|too|as\s+well|right\s+now|these\s+days|"
    r"at\s+the\s+moment|currently|recently|lately|yesterday|today|tonight|tomorrow|"
    r"(?:last|this|next)\s+(?:week|weekend|month|year|spring|summer|autumn|fall|winter|night|morning)|"
    r"(?:a|an|one|two|three|\d+)\s+(?:days?|weeks?|months?|years?)\s+ago|"
    r"and\s+(?:I|my|we|it|he|she|they)|years\s+old|anymore|"
    r"very\s+much|a\s+lot)\b).*$",
    re.IGNORECASE | re.DOTALL,
)
_NOBODY = re.compile(
    r"(?:it|he|she|they|we|you|this|that|these|those|there|here|what|who|which|everyone|everybody|"
    r"someone|somebody|nobody|anyone|everything|something|nothing|one|people|life|music|work|today|"
    r"yesterday|tomorrow)\b",
    re.IGNORECASE,
)
_BESIDES = re.compile(r"\s(?:as|with|and)\s.*$", re.DOTALL)
# Whom or what these words stand for, the sentence alone does not tell.
_UNTOLD = re.compile(
    r"\b(?:it|its|that|this|them|they|their|him|he|his|she|her|you|your|yours|those|these|there|"
    r"here|how|what|everything|my|me|myself|our|us)\b",
    re.IGNORECASE,
)
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
    clauses = [clause for clause in _CLAUSES.split(sentence) if clause]
    return [one for clause in clauses if (one := _of_clause(clause, speaker)) is not None]


def _of_clause(clause: str, speaker: str) -> Statement | None:
    for pattern in _PATTERNS:
        found = pattern(clause, speaker)
        if found is not None:
            return Statement(clause, *found)
    says = _FIRST_PERSON.match(clause) and not _CHATTER.match(clause)
    return Statement(clause, speaker) if says and len(clause.split()) >= _LEAST_WORDS else None


def _my_name(clause: str, speaker: str) -> Found | None:
    match = _MY_NAME.match(clause)
    return _found(speaker, "is named", match["tail"]) if match else None


def _its_name(clause: str, speaker: str) -> Found | None:
    match = _ITS_NAME.match(clause)
    return _found(f"{speaker}'s {match['who']}", "is named", match["tail"]) if match else None


def _favourite(clause: str, speaker: str) -> Found | None:
    match = _FAVOURITE.match(clause)
    if match is None:
        return None
    return _found(speaker, f"favourite {match['what'].lower()} is", match["tail"])


def _first_person(clause: str, speaker: str) -> Found | None:
    match = _FIRST.match(clause)
    return _found(speaker, _relation(match), match["tail"]) if match else None


def _kin(clause: str, speaker: str) -> Found | None:
    match = _KIN.match(clause)
    return _found(f"{speaker}'s {match['who']}", _relation(match), match["tail"]) if match else None


def _named(clause: str, _speaker: str) -> Found | None:
    match = _NAMED.match(clause)
    if match is None or _NOBODY.match(match["who"]):
        return None
    return _found(match["who"], _relation(match), match["tail"])


_PATTERNS: tuple[Callable[[str, str], Found | None], ...] = (
    _my_name,
    _its_name,
    _favourite,
    _first_person,
    _kin,
    _named,
)


def _relation(match: re.Match[str]) -> str:
    """Return the relation whose verb was found."""
    assert match.lastgroup is not None
    number = next(
        int(name[1:])
        for name, text in match.groupdict().items()
        if name[0] == "r" and text is not None
    )
    return _VERBS[number][2]


def _found(head: str, relation: str, rest: str) -> Found | None:
    """Return a triple, unless its tail is nothing, too much to be one thing, or unclear alone."""
    tail = _TAIL_END.sub("", " " + rest)
    if is_functional(relation):
        tail = _BESIDES.sub("", tail)
    words = tail.strip(_EDGES).split()
    if not 0 < len(words) <= _TAIL_WORDS or _UNTOLD.search(tail):
        return None
    return head, relation, " ".join(words)
