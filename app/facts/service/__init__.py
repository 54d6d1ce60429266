"""The verbs of the room."""

from app.facts.service.extracting import extract
from app.facts.service.reading import empty_timeline, page, timeline
from app.facts.service.storing import sources_gone

__all__ = ["empty_timeline", "extract", "page", "sources_gone", "timeline"]
