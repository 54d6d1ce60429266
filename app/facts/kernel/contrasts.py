"""When one statement takes another's place, and what denies that something ever was. Pure.

Source: Adaptive Chameleon or Stubborn Sloth, arXiv 2305.13300: memories that contradict each other.
Deviation: the paper builds its conflicts with a language model and tests them by entailment. Here a
weighted sum of what two statements share decides: how near their meanings and words are, whom they
name, of which side of life they tell, and whether the newer one says that something is otherwise.
Only statements about somebody named are compared so. What speakers say of themselves in passing
looks alike too often; it is compared by the facts that it states.
"""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import dropwhile, islice

Stem = Callable[[str], str]

STRONG = 0.0
"""From here on the newer statement takes the older one's place."""
WEAK = -0.75
"""From here on it does where both answer a question nearly as well."""

_LONGEST_WORDS = 60
_WORD = re.compile(r"[^\W_]+(?:['\u2019\-][^\W_]+)*")
_OURS = re.compile(r"['\u2019]s$")
_TALK = re.compile(
    r"[?!\n]|\b(?:i|i['\u2019](?:m|ve|d|ll)|me|my|mine|we|us|our|you|your|yours|it['\u2019]s)\b",
    re.IGNORECASE,
)
_SMALL = frozenset(
    [
        "a",
        "an",
        "the",
        "and",
        "or",
        "of",
        "in",
        "on",
        "at",
        "to",
        "for",
        "with",
        "by",
        "from",
        "as",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "being",
        "has",
        "have",
        "had",
        "do",
        "does",
        "did",
        "who",
        "whose",
        "which",
        "that",
        "this",
        "their",
        "his",
        "her",
        "its",
        "he",
        "she",
        "they",
        "it",
        "both",
        "also",
        "often",
        "once",
        "into",
        "about",
        "while",
        "where",
        "when",
        "than",
        "then",
        "so",
        "all",
        "three",
    ]
)
_TURNS = frozenset(
    [
        "not",
        "no",
        "never",
        "only",
        "instead",
        "rather",
        "longer",
        "neither",
        "nor",
        "exclusively",
        "none",
        "without",
        "however",
        "actually",
    ]
)
_OTHERWISE = re.compile(
    r"\b(?:not|never|no|none|neither|nor|no\s+longer|instead|rather\s+than|only|exclusively|"
    r"dislikes?|hates?|cancel\w*|stopped|quit|now|actually|opponent|lacks?|avoid\w*|"
    r"refus\w+|unable)\b|n['\u2019]t\b",
    re.IGNORECASE,
)
_SIDES = {
    "studies": "attend attended alumni alumnus alumna graduate graduated university college degree "
    "phd doctorate enrolled studied school",
    "languages": "speak speaks fluent fluently language languages multilingual bilingual",
    "field": "specialize specializes specializing specialise specialises specialising expertise "
    "expert specialty known renowned",
    "leisure": "enjoy enjoys enjoyed hobby hobbies hiking hiker outdoor outdoors indoor indoors "
    "prefer prefers dislike dislikes leisure avid passion",
    "causes": "advocate advocates advocated advocating supporter supports opponent opposes "
    "campaign campaigns campaigned initiative initiatives",
    "works": "publish published publication book novel album released documentary painting",
    "meeting": "met meet meets",
    "founding": "founded founder founders co-founded co-founder co-founders cofounded established",
    "honours": "award awards recognition recognized recognised nominated prize won received",
    "home": "live lives lived living reside resides moved relocated",
    "membership": "member members membership society guild club",
    "teaching": "teach teaches taught mentor mentors mentoring volunteer volunteers volunteering "
    "community",
}
_SIDE_OF = {word: side for side, words in _SIDES.items() for word in words.split()}
_CALLING = re.compile(
    r"\b(?:is|was)\s+(?:\w+ly\s+)?(?:an?|the)\s+(?:[\w'-]+\s+){0,4}?[\w-]*(?:ist|ian|eer|chef|"
    r"dancer|coach|designer|writer|author|teacher|professor|doctor|nurse|lawyer|photographer|"
    r"programmer|developer|architect|composer|painter|player|singer|actor|pilot|consultant|"
    r"academic|producer|director|surgeon|carpenter|manager|analyst|accountant)\b",
    re.IGNORECASE,
)
_SUBJECT = frozenset({"and", "both", "all", "two", "three", "of"})
_COLOUR = frozenset(
    {"both", "actually", "primarily", "once", "often", "currently", "first", "also", "especially"}
)
_EMPTY_OPENING = frozenset(
    {"is", "are", "was", "were", "a", "an", "the", "may", "might", "could", "be", "has", "have",
     "been", "of"}
)  # fmt: skip
_DENIED = re.compile(
    r"\b(?:I|we)(?:\s+have|['\u2019]ve)?\s+(?:actually\s+)?never\s+(?:(?:actually|ever|once|really)"
    r"\s+)?(?P<never>[^,;.!?\n]+)"
    r"|\b(?:I|we)\s+(?:haven['\u2019]t|have\s+not)\s+(?:(?:ever|yet|once)\s+)?"
    r"(?P<not_yet>[^,;.!?\n]+)",
    re.IGNORECASE,
)
_LEAST_DENIED = 3


@dataclass(frozen=True, slots=True)
class Statement:
    """What of a statement about somebody named is compared."""

    names: frozenset[str]
    """Words with a capital, small."""
    stems: frozenset[str]
    opening: tuple[str, ...]
    """The first words behind the subject."""
    sides: frozenset[str]
    """Of which sides of life it tells."""
    is_calling: bool
    """It says what somebody is by profession."""
    says_otherwise: bool
    """It holds a word by which one corrects."""


def statement(text: str, stem: Stem) -> Statement | None:
    """Read a statement about somebody named; ``None`` for questions, talk, and longer texts."""
    plain = text.strip().strip("\"'\u201c\u201d")
    words = [_OURS.sub("", match[0]) for match in _WORD.finditer(plain)]
    if not 3 <= len(words) <= _LONGEST_WORDS or _TALK.search(plain):
        return None
    small = [word.lower() for word in words]
    names = frozenset(
        low for word, low in zip(words, small, strict=True)
        if word[0].isupper() and low not in _SMALL
    )  # fmt: skip
    if not names:
        return None
    others = [
        low for word, low in zip(words, small, strict=True)
        if not word[0].isupper() and low not in _SMALL and low not in _TURNS
    ]  # fmt: skip
    return Statement(
        names,
        frozenset(map(stem, others)),
        _opening(words),
        frozenset(_SIDE_OF[low] for low in small if low in _SIDE_OF),
        bool(_CALLING.search(plain)),
        bool(_OTHERWISE.search(plain)),
    )


def _opening(words: Sequence[str]) -> tuple[str, ...]:
    """Return the first words behind the subject, without those that only colour them."""
    behind = dropwhile(lambda word: word[0].isupper() or word.lower() in _SUBJECT, words)
    return tuple(islice((word.lower() for word in behind if word.lower() not in _COLOUR), 3))


def _shares_frame(newer: Statement, older: Statement) -> bool:
    """Tell whether two statements begin to say the same of the same people."""
    same = [one for one, other in zip(newer.opening, older.opening, strict=False) if one == other]
    is_begun = newer.opening[:2] == older.opening[:2] and bool(set(same) - _EMPTY_OPENING)
    return is_begun and len(newer.names & older.names) == min(len(newer.names), len(older.names))


def replaces(newer: Statement, older: Statement, cosine: float, *, is_nearest: bool) -> float:
    """Return how likely one statement takes another's place, as log odds.

    Args:
        newer: the statement made later.
        older: the one made earlier.
        cosine: of their vectors.
        is_nearest: whether the older is the nearest of all that name the same.
    """
    common = newer.names & older.names
    if not common or (newer.stems == older.stems and newer.names == older.names):
        return -10.0
    shared = len(newer.stems & older.stems)
    return (
        3.0 * cosine
        + 1.5 * len(common) / min(len(newer.names), len(older.names))
        + 1.0 * shared / max(1, len(older.stems))
        + 3.5 * shared / max(1, len(newer.stems))
        + 2.0 * min(shared, 3) / 3
        + 4.0 * newer.says_otherwise
        + 2.0 * is_nearest
        + 2.0 * bool(newer.sides & older.sides)
        + 3.5 * (newer.is_calling and older.is_calling)
        + 2.5 * _shares_frame(newer, older)
        - 8.5
    )


def denials(text: str) -> list[str]:
    """Return what a speaker says never to have done, in the words without the denial."""
    found = (match["never"] or match["not_yet"] for match in _DENIED.finditer(text))
    return [clause.strip() for clause in found if len(clause.split()) >= _LEAST_DENIED]


def share(
    clause: Collection[str], words: Collection[str], weights: Callable[[str], float]
) -> float:
    """Return the share of a clause's words, by weight, that a text holds. In [0, 1]."""
    whole = _sum(clause, weights)
    return _sum(set(clause) & set(words), weights) / whole if whole else 0.0


def _sum(words: Iterable[str], weights: Callable[[str], float]) -> float:
    return sum(weights(word) for word in sorted(words))
