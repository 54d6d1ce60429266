"""The verbs of the room."""

from app.thoughts.service.organising import organise
from app.thoughts.service.recalling import ThoughtQuestion, nearest, page, recall
from app.thoughts.service.storing import sources_gone
from app.thoughts.service.thinking import Thinker, think

__all__ = [
    "Thinker",
    "ThoughtQuestion",
    "nearest",
    "organise",
    "page",
    "recall",
    "sources_gone",
    "think",
]
