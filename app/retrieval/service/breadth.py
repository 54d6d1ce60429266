"""How much of a prompt a profile may take: much for a broad question, nothing for a narrow one.

A profile answers "What do you know about me?" better than memories do, and takes room from the
memory that answers "Which bus goes to the lake?". The two are told apart by what the question
names, so that neither a model nor a list of words is needed, in any language that has stop words.
"""

from app.kit import words
from app.retrieval.kernel.context import PROFILE_SHARE

_FEW = 2
_SOME = 3
_CLOSING = "\"'\u201d\u2019\u00bb)] "
_ENDS = ".!?:\u2026\u3002\uff01\uff1f"


def profile_share(text: str, content: int, *, capitals_are_names: bool) -> float:
    """Return the share of a budget that is kept free for a profile, in [0, 1/3].

    Nothing is kept for a question that names somebody or a number, and for mere keywords.

    Args:
        text: the question.
        content: how many different stems of it are none of a stop word.
        capitals_are_names: whether a capital inside a sentence marks a name.
    """
    said = len(words.words(text))
    if 2 * content > said or _has_number(text) or (capitals_are_names and _has_name(text)):
        return 0
    if content <= _FEW:
        return PROFILE_SHARE
    return PROFILE_SHARE / 2 if content <= _SOME else 0


def _has_number(text: str) -> bool:
    return any(character.isdigit() for character in text)


def _has_name(text: str) -> bool:
    """Tell whether a word inside a sentence has a capital, but for the English "I"."""
    if text.upper() == text:
        return False
    inside = [word.text for word in words.words(text) if not _begins(text, word.start)]
    return any(word[0].isupper() and not _is_i(word) for word in inside)


def _begins(text: str, place: int) -> bool:
    before = text[:place].rstrip().rstrip("\"'\u201c\u2018\u00ab([").rstrip()
    return not before or before.rstrip(_CLOSING)[-1:] in _ENDS


def _is_i(word: str) -> bool:
    return word[0] == "I" and word[1:2] in {"", "'", "\u2019"}
