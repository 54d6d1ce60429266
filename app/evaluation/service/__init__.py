"""The verbs of the room."""

from app.evaluation.client import HttpApi
from app.evaluation.errors import CallFailedError
from app.evaluation.kernel.longmemeval import FormatError
from app.evaluation.service.longmemeval import LongMemEval
from app.evaluation.service.running import books, longmemeval, rows, sort
from app.evaluation.service.sort import Sort

__all__ = [
    "CallFailedError",
    "FormatError",
    "HttpApi",
    "LongMemEval",
    "Sort",
    "books",
    "longmemeval",
    "rows",
    "sort",
]
