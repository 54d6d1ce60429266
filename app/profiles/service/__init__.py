"""The verbs of the room."""

from app.profiles.service.composing import refresh
from app.profiles.service.erasing import gone
from app.profiles.service.exporting import export_sft
from app.profiles.service.prompting import ProfileLine, lines_for_prompt
from app.profiles.service.reading import diff, list_days, list_versions, read_profile
from app.profiles.service.renewing import TASKS, close_days, request
from app.profiles.service.scopes import Workshop
from app.profiles.service.sentences import writes_names_apart
from app.profiles.service.summarising import summarise

__all__ = [
    "TASKS",
    "ProfileLine",
    "Workshop",
    "close_days",
    "diff",
    "export_sft",
    "gone",
    "lines_for_prompt",
    "list_days",
    "list_versions",
    "read_profile",
    "refresh",
    "request",
    "summarise",
    "writes_names_apart",
]
