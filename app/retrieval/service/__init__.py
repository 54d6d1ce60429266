"""The verbs of the room."""

from app.retrieval.repository.filters import Narrowing
from app.retrieval.service.asking import Question
from app.retrieval.service.context import CONTEXT_CANDIDATES, ContextQuestion, build_context
from app.retrieval.service.ordering import Ordered, order
from app.retrieval.service.parsing import parse_filters
from app.retrieval.service.recalling import Recaller

__all__ = [
    "CONTEXT_CANDIDATES",
    "ContextQuestion",
    "Narrowing",
    "Ordered",
    "Question",
    "Recaller",
    "build_context",
    "order",
    "parse_filters",
]
