"""Which relations are one and the same, and which hold for one tail at a time. Pure.

Source: Think-in-Memory, arXiv 2311.08719, section 3.2 (forget).
Deviation: the paper has a language model find contradictions. Without one, only those of a small
table are: relations that have one tail at a time, of heads that there is one of. Others are kept
side by side: a statement that was ended wrongly is worse than one that was not ended.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from app.kit.statements.words import COUNTRIES, FAVOURITES, NATIONALITIES, ONE_OF_A_KIND, SAME_KIN

_FORMS = {
    "is named": "named | called | name is | full name is",
    "goes by": "go by | goes by | nickname is | prefers to be called",
    "lives in": "live in | lives in | living in | been living in | moved to | moved back to "
    "| relocated to | emigrated to | resides in | reside in | residing in | "
    "based in | located in | settled in | settled down in | home is in | "
    "home city is | place of residence is | new home is in",
    "works at": "work at | works at | working at | work for | works for | working for | "
    "employed at | employed by | works with the company | employer is | job at "
    "| got a job at | got a new job at | started working at | "
    "started working for | started a job at | started a new job at | "
    "joined as an employee",
    "works as": "work as | works as | working as | became a | became an | "
    "become a | become an | job is | job title is | profession is | occupation is | "
    "works in the role of",
    "studies at": "study at | studies at | studying at | a student at | student at | "
    "enrolled at | attends | transferred to the university",
    "is married to": "married to | married | got married to | husband is | wife is | spouse is",
    "is engaged to": "engaged to | got engaged to | fiance is | fiancee is",
    "is dating": "dating | in a relationship with | girlfriend is | boyfriend is",
    "was born in": "born in | birthplace is | place of birth is",
    "was born on": "born on | birthday is | date of birth is | birth date is",
    "is aged": "aged | turned | age is | years old",
    "drives": "drive | drives | driving | car is",
    "phone number is": "phone number is | telephone number is | mobile number is | cell number is "
    "| phone number",
    "email is": "email is | e-mail is | email address is | e-mail address is | "
    "email address | email",
    "address is": "address is | home address is | postal address is | street address is | address",
    "phone is": "phone is | uses the phone | smartphone is",
    "boss is": "boss is | manager is | supervisor is | line manager is | boss | manager",
    "doctor is": "doctor is | gp is | family doctor is",
    "dentist is": "dentist is",
    "landlord is": "landlord is | landlady is",
}
"""Ways to say a relation, behind words such as "is" and "now". The past ("lived in") is another."""

_SAME = {form.strip(): name for name, forms in _FORMS.items() for form in forms.split("|")}
FUNCTIONAL = frozenset(_FORMS)
"""Relations that hold for one tail at a time: a newer one ends the older."""

_OWN_NAME = frozenset({"is named", "goes by"})
_NAMES = frozenset(
    {"is named", "goes by", "lives in", "is married to", "is engaged to", "is dating", "boss is",
     "doctor is", "dentist is", "landlord is"}
)  # fmt: skip
"""Relations whose tail is somebody's or a place's name."""
_INSTITUTIONS = frozenset({"works at", "studies at", "drives", "phone is"})
_PLACED = re.compile(
    r"^(?:(?:an?|the)\s+)?(?:(?:downtown|central|upstate|rural|northern|southern|eastern|western|"
    r"north|south|east|west)\s+)?(?=\S)"
)
_NO_INSTITUTION = re.compile(
    r"^(?:an?\s+(?:living|lot|while|bit|hundred|thousand|better\b.*|few\b.*|time\b.*)|the\s+(?:moment"
    r"|weekend|time|same|first|best|top|next|past|last|day|night)\b.*)$",
    re.IGNORECASE,
)
_AUXILIARIES = frozenset(
    ("is", "are", "am", "'s", "'m", "has", "have", "been", "now", "currently", "just", "recently",
     "still", "also", "officially", "presently", "already", "finally", "happily", "newly")
)  # fmt: skip
_NOISE = re.compile(r"[^\w\s'+#&/@.-]+|(?<!\w)\.|\.(?!\w)")
_SPACE = re.compile(r"\s+")
_LEADING = re.compile(r"^(?:an?|the|my|our|some)\s+")
_BRITISH = {
    "favorite": "favourite", "color": "colour", "flavor": "flavour", "movie": "film",
    "films": "film", "movies": "film",
}  # fmt: skip
_BEYOND = r"(?:(?:all time|absolute|current|new) )*"
_FAVOURITE = re.compile(rf"^{_BEYOND}favourite {_BEYOND}(?P<what>.+?)(?: is)?$")
_MARKS = str.maketrans({"\u2019": "'", "\u2018": "'"})


def normalised(text: str) -> str:
    """Return the form by which heads, relations and tails are compared.

    Deviation: the paper compares free text, in which "The Alps" and "the alps" are two things.
    """
    plain = _NOISE.sub(" ", text.translate(_MARKS).casefold())
    return _LEADING.sub("", _SPACE.sub(" ", plain).strip())


@lru_cache(maxsize=4_096)
def head_key(head: str) -> str:
    """Return the form by which heads are compared: "Alice's new mum" is Alice's mother."""
    owner, mark, who = normalised(head).rpartition("'s ")
    words = [SAME_KIN.get(word, word) for word in who.split()]
    if mark:
        words = [
            word for word in words if word not in {"new", "current", "dear", "lovely"}
        ] or words
    return owner + mark + " ".join(words)


@lru_cache(maxsize=4_096)
def relation_key(relation: str) -> str:
    """Return the form by which relations are compared: "moved to" is "lives in"."""
    key = normalised(relation)
    words = key.split()
    while len(words) > 1 and words[0] in _AUXILIARIES:
        words = words[1:]
    favourite = _favourite_of(" ".join(words))
    if favourite is not None:
        return f"favourite {favourite} is"
    return _SAME.get(" ".join(words)) or _SAME.get(key) or key


def _favourite_of(key: str) -> str | None:
    plain = " ".join(
        _BRITISH.get(word, word) for word in key.replace("all-time", "all time").split()
    )
    match = _FAVOURITE.match(plain)
    return match["what"] if match else None


def holds_once(relation: str) -> bool:
    """Tell whether a relation is one of those that hold for one tail at a time."""
    return _is_single(relation_key(relation))


def is_functional(head: str, relation: str | None, tails: Iterable[str]) -> bool:
    """Tell whether a triple is one that a newer one with another tail ends."""
    if relation is None or len(held := list(tails)) != 1:
        return False
    return (
        _is_single(relation_key(relation)) and _is_one(head, relation) and fits(relation, held[0])
    )


def _is_single(relation: str) -> bool:
    if relation in FUNCTIONAL:
        return True
    favourite = _favourite_of(relation)
    return favourite is not None and favourite.split()[-1] in FAVOURITES


def _is_one(head: str, relation: str) -> bool:
    """Tell whether a head is always the same one: of friends and dogs there may be several."""
    _, mark, who = head_key(head).rpartition("'s ")
    if not mark:
        return True
    # Another name is another brother; a husband with another name is the only one all the same.
    kinds = ONE_OF_A_KIND["named"] if relation_key(relation) in _OWN_NAME else ONE_OF_A_KIND["kin"]
    words = who.split()
    return words[-1] in kinds or words[0] in kinds


def fits(relation: str, tail: str) -> bool:
    """Tell whether a tail is of the kind that a functional relation is about."""
    key = relation_key(relation)
    if key == "is aged":
        return bool(re.search(r"\d", tail))
    if key in _NAMES:
        return _is_name(tail)
    if key in _INSTITUTIONS:
        is_one = bool(re.match(r"(?:an?|the)\s+\w", tail, re.IGNORECASE)) or _is_name(tail)
        return is_one and not _NO_INSTITUTION.match(tail)
    return True


def _is_name(tail: str) -> bool:
    """Tell whether a tail begins as a name does; scripts without capitals have no other names."""
    rest = _PLACED.sub("", tail)
    first = normalised(rest).split()[:1]
    is_capital = bool(first) and rest[0].isalpha() and rest[0] == rest[0].upper()
    return is_capital and first[0] not in NATIONALITIES


def aspect(relation: str, tail: str) -> str:
    """Return in which respect a relation holds: who lives in Rome lives in Italy, too."""
    if relation_key(relation) not in {"lives in", "was born in"}:
        return ""
    return "country" if normalised(tail) in COUNTRIES else "place"


def is_same_tail(older: Iterable[str], newer: Iterable[str]) -> bool:
    """Tell whether one tail only says the other more exactly: "Golf", "a red Golf"."""
    one, other = set[str](), set[str]()
    one.update(*(normalised(tail).split() for tail in older))
    other.update(*(normalised(tail).split() for tail in newer))
    return one <= other or other <= one


def is_possible_change(relation: str, older: Iterable[str], newer: Iterable[str]) -> bool:
    """Tell whether a newer tail can follow an older: nobody grows younger."""
    if relation_key(relation) != "is aged":
        return True
    return _number(older) <= _number(newer)


def _number(tails: Iterable[str]) -> int:
    match = re.search(r"\d+", " ".join(tails))
    return int(match[0]) if match else 0
