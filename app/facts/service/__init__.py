"""The verbs of the room."""

from app.facts.kernel.contrasts import STRONG
from app.facts.service.comparing import compare
from app.facts.service.conflicts import conflicts, contested, policy_of, resolve
from app.facts.service.extracting import extract
from app.facts.service.reading import empty_timeline, page, timeline
from app.facts.service.storing import sources_gone

__all__ = [
    "STRONG",
    "compare",
    "conflicts",
    "contested",
    "empty_timeline",
    "extract",
    "page",
    "policy_of",
    "resolve",
    "sources_gone",
    "timeline",
]
