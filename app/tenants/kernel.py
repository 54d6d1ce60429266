"""Pure rules of the room: how a key looks, what a scope implies, which languages are stemmed."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType
from zoneinfo import available_timezones

KEY_PREFIX = "rk_"
KEY_FORM = re.compile(r"rk_[A-Za-z0-9_-]{16,200}")
"""What may be sent as a key: ours have 43 characters after the prefix, a preset one 16 or more."""
HINT_LENGTH = 4

_IMPLIED: Mapping[str, frozenset[str]] = {
    "read": frozenset({"read"}),
    "write": frozenset({"read", "write"}),
    "admin": frozenset({"read", "write", "admin"}),
    "operator": frozenset({"read", "write", "admin", "operator"}),
}

TEXT_SEARCH: Mapping[str, str] = MappingProxyType(
    {
        "ar": "arabic",
        "ca": "catalan",
        "da": "danish",
        "de": "german",
        "el": "greek",
        "en": "english",
        "es": "spanish",
        "eu": "basque",
        "fi": "finnish",
        "fr": "french",
        "ga": "irish",
        "hi": "hindi",
        "hu": "hungarian",
        "hy": "armenian",
        "id": "indonesian",
        "it": "italian",
        "lt": "lithuanian",
        "ne": "nepali",
        "nl": "dutch",
        "no": "norwegian",
        "pt": "portuguese",
        "ro": "romanian",
        "ru": "russian",
        "sr": "serbian",
        "sv": "swedish",
        "ta": "tamil",
        "tr": "turkish",
        "und": "simple",
        "yi": "yiddish",
    }
)
"""Postgres' text search configuration by ISO 639 code; ``und`` (undetermined) is not stemmed."""


def is_well_formed(key: str) -> bool:
    """Say whether a text can be a key at all, so that nonsense costs no look-up."""
    return KEY_FORM.fullmatch(key) is not None


def digest(key: str) -> bytes:
    """Return what is stored of a key. Keys are random, so a plain hash cannot be searched."""
    return hashlib.sha256(key.encode()).digest()


def implied(scopes: Iterable[str]) -> frozenset[str]:
    """Return the scopes with all that they include: operator ⊃ admin ⊃ write ⊃ read."""
    return frozenset().union(*(_IMPLIED[scope] for scope in scopes))


def is_time_zone(name: str) -> bool:
    """Say whether a name is in the time zone database."""
    return name in _zones()


@cache
def _zones() -> frozenset[str]:
    # A walk through a directory of some 600 files: made once, and only when needed.
    return frozenset(available_timezones())
