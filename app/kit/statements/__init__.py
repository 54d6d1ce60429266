"""How English states one thing of somebody: rules that every mechanism may use. Pure."""

from app.kit.statements.extraction import MOST, read
from app.kit.statements.relations import (
    aspect,
    fits,
    head_key,
    holds_once,
    is_functional,
    is_possible_change,
    is_same_tail,
    normalised,
    relation_key,
)
from app.kit.statements.triples import Statement, joined_text

__all__ = [
    "MOST",
    "Statement",
    "aspect",
    "fits",
    "head_key",
    "holds_once",
    "is_functional",
    "is_possible_change",
    "is_same_tail",
    "joined_text",
    "normalised",
    "read",
    "relation_key",
]
