"""Facts by rule: what a sentence states, of whom, and of which time. Pure.

Source: ChroKnowledge, arXiv 2410.09870: facts as (subject, relation, object, time).
Deviation: its facts come from a knowledge base; here they are read from what people say. A sentence
that is not read as a triple gives no fact.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from app.facts.kernel import dates
from app.facts.kernel.dates import Stated
from app.kit import statements
from app.kit.statements import holds_once, is_functional, normalised

MOST = 16
"""Facts of one memory, at most."""
_LONGEST = 500
_OBJECT_WORDS = 12
_SUBJECT_WORDS = 24

_PAST = (
    (re.compile(rf"\b{past}\b", re.IGNORECASE), present)
    for past, present in (
        (r"used to (?=live|work|study|attend|drive|own)", ""),
        (r"lived (?=in\b)", "live "),
        (r"(?:was|were) living (?=in\b)", "live "),
        (r"worked (?=at\b|for\b|as\b)", "work "),
        (r"was working (?=at\b|for\b|as\b)", "work "),
        (r"studied (?=at\b)", "study "),
        (r"attended", "attend"),
        (r"was (?=married to\b|engaged to\b|dating\b|employed\b)", "am "),
        (r"drove", "drive"),
        (r"owned", "own"),
        (r"played", "play"),
    )
)
_PAST_FORMS = tuple(_PAST)
_CHANGE = re.compile(
    r"\b(?:moved|relocated|settled|started|began|joined|became|become|got|gotten|adopted|switched|"
    r"transferred|turned|married)\b",
    re.IGNORECASE,
)
_ENDS = re.compile(
    r"\bno longer\s+|\b(?:do|does)\s*(?:not|n['\u2019]t)\s+(?=.*\bany\s?more\b)|\s*\bany\s?more\b",
    re.IGNORECASE,
)
_NAMED_THIRD = re.compile(
    r"^(?P<who>[A-Z][\w'\u2019-]+(?:\s+[A-Z][\w'\u2019-]+)?)\s+"
    r"(?P<verb>live|work|study|attend|drive|own|play|like|love|enjoy|speak)\b"
)
_NOW = r"(?:\s+(?:now|currently|still|actually|presently))?"
_OF = re.compile(
    r"^(?:(?:now|currently|actually|and|so|as of now)\W+)?the\s+(?P<what>[\w'\u2019-]+"
    r"(?:\s+[\w'\u2019-]+){0,4}?)\s+(?:of|for|to)\s+(?P<who>[\"\u201c][^\"\u201d]+[\"\u201d]|.+?)\s+"
    r"(?:is|are)" + _NOW +
    r"\s+(?P<tail>[^\s].*)$",
    re.IGNORECASE,
)  # fmt: skip
_WHOSE = re.compile(
    r"^(?P<who>[A-Z][\w.&-]*(?:\s+[A-Z0-9][\w.&-]*){0,4})(?:'s|\u2019s|s['\u2019])\s+"
    r"(?P<what>[A-Za-z][\w-]*(?:\s+[a-z][\w-]*){0,3})\s+(?:is|are)" + _NOW + r"\s+(?P<tail>.+)$"
)
_MINE = re.compile(
    r"^(?:(?:and|but|so|well|now|also|by the way|actually)\W+)?my\s+"
    r"(?P<what>[a-z][\w-]*(?:\s+[a-z][\w-]*){0,2})\s+is" + _NOW + r"\s+(?P<tail>.+)$",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"^[\"\u201c'](?P<text>.+)[\"\u201d']$")
_TAIL_CUT = re.compile(
    r"\s*(?:[;(!?]|,\s|\.(?:\s|$)|\s(?:because|since|which|while|but|although|though|if)\b).*$",
    re.DOTALL,
)
_VALUE = re.compile(r"[A-Z\d\"\u201c]")
_UNTOLD = re.compile(
    r"^(?:it|its|this|that|they|them|he|she|you|we|there|here|what|who|how|not|one|these|those|"
    r"going|trying|getting|so|very|really|just|too|like)\b",
    re.IGNORECASE,
)
_EMPTY = re.compile(
    r"^(?:best|worst|only|whole|main|first|last|next|other)?\s*(?:part|thing|point|problem|reason|"
    r"rest|end|most|idea|goal|question|way|day|time|kind|sort|one|some|issue|plan|dream|hope|guess)"
    r"s?$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Claim:
    """One fact as a sentence states it."""

    subject: str
    relation: str
    object: str
    is_functional: bool
    """Whether it holds for one object at a time."""
    is_end: bool = False
    """It is said to hold no longer."""
    since: datetime | None = None
    until: datetime | None = None
    """Exclusive."""


Triple = tuple[str, str, str, bool]
"""Subject, relation, object, and whether there is one object at a time."""


def read(sentences: Iterable[str], *, speaker: str, language: str) -> list[Claim]:
    """Return the facts of what one speaker said, in order; none twice.

    Args:
        sentences: what was said, sentence by sentence.
        speaker: who "I" is.
        language: ISO 639 code; only ``en`` is read by rule.
    """
    if language != "en":
        return []
    found: dict[Claim, None] = {}
    for sentence in sentences:
        if len(sentence) <= _LONGEST and not sentence.rstrip("\"'\u201d)").endswith("?"):
            found |= dict.fromkeys(_of_sentence(sentence, speaker))
        if len(found) >= MOST:
            break
    return list(found)[:MOST]


def timed(triple: Triple, sentence: str) -> Claim:
    """Return a triple with the time that its sentence states, whoever read the triple."""
    said = dates.stated(sentence)
    until = said.until
    if until is None and said.unit_end is not None and not _CHANGE.search(sentence):
        until = said.unit_end
    return Claim(*triple, since=said.since, until=until)


def _of_sentence(sentence: str, speaker: str) -> list[Claim]:
    said = dates.stated(sentence)
    plain, is_past = _present(said.rest)
    plain, is_end = _ending(plain)
    if is_past and said.since is None:
        return []  # it held once, nobody says when
    triples = [*_definite(plain, speaker), *_stated(plain, speaker)]
    return [_claim(one, said, is_past=is_past, is_end=is_end) for one in _distinct(triples)]


def _distinct(triples: Iterable[Triple]) -> list[Triple]:
    """Return triples once each by subject and object: the first way to read them counts."""
    found: dict[tuple[str, str], Triple] = {}
    for one in triples:
        found.setdefault((normalised(one[0]), normalised(one[2])), one)
    return list(found.values())


def _claim(triple: Triple, said: Stated, *, is_past: bool, is_end: bool) -> Claim:
    until = said.until
    holds_in_unit = is_past or not _CHANGE.search(said.rest)
    if until is None and said.unit_end is not None and holds_in_unit and not is_end:
        until = said.unit_end
    return Claim(*triple, is_end=is_end, since=said.since, until=None if is_end else until)


def _present(sentence: str) -> tuple[str, bool]:
    """Return a sentence of the past as one of the present, and whether it was one."""
    for past, present in _PAST_FORMS:
        changed, count = past.subn(present, sentence, count=1)
        if count:
            return _third_person(changed), True
    return sentence, False


def _third_person(sentence: str) -> str:
    """Return "Alice live in" as "Alice lives in"."""
    match = _NAMED_THIRD.match(sentence)
    if match is None or match["who"] in {"I", "We", "You", "They"}:
        return sentence
    verb = match["verb"]
    right = "studies" if verb == "study" else f"{verb}s"
    return sentence[: match.start("verb")] + right + sentence[match.end("verb") :]


def _ending(sentence: str) -> tuple[str, bool]:
    """Return a sentence without the words that end what it says, and whether there were any."""
    if not _ENDS.search(sentence):
        return sentence, False
    plain = _ENDS.sub("", sentence)
    return _third_person(re.sub(r"\bam no longer\b", "am", plain)), True


def _stated(sentence: str, speaker: str) -> list[Triple]:
    found = statements.read([sentence], speaker=speaker, language="en")
    return [
        (one.head, one.relation, one.tail, is_functional(one.head, one.relation, [one.tail]))
        for one in found
        if one.relation is not None and one.tail is not None
    ]


def _definite(sentence: str, speaker: str) -> list[Triple]:
    """Read what somebody or something has one of: "The capital of France is Paris"."""
    for pattern, of_speaker in ((_OF, False), (_WHOSE, False), (_MINE, True)):
        match = pattern.match(sentence)
        if match is None:
            continue
        what = " ".join(match["what"].split())
        tail = _tail(match["tail"])
        who = speaker if of_speaker else match["who"].strip(" ,")
        relation = statements.relation_key(f"{what} is")
        # What a rule for this very relation reads, or refuses, is left to it.
        if of_speaker and (holds_once(relation) or not _VALUE.match(tail)):
            continue
        if _is_told(who, what, tail):
            return [(_unquoted(who), relation, tail, True)]
    return []


def _is_told(who: str, what: str, tail: str) -> bool:
    is_long = len(tail.split()) > _OBJECT_WORDS or len(who.split()) > _SUBJECT_WORDS
    is_untold = any(_UNTOLD.match(one) for one in (who, tail))
    return bool(tail) and bool(who) and not (is_long or is_untold or _EMPTY.match(what))


def _unquoted(text: str) -> str:
    match = _QUOTED.match(text)
    return match["text"].strip() if match else text


def _tail(rest: str) -> str:
    quoted = _QUOTED.match(rest.strip().rstrip(".!"))
    if quoted:
        return quoted["text"].strip()
    return _TAIL_CUT.sub("", " " + rest).strip(" \t.,!?;:\"'\u201c\u201d")
