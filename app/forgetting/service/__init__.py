"""The verbs of the room."""

from app.forgetting.service.charting import curves, draw
from app.forgetting.service.forgetting import TASK, Forgetter, keep_house, queue_run, run
from app.forgetting.service.law import Law
from app.forgetting.service.lives import retention
from app.forgetting.service.previewing import Prospect, preview
from app.forgetting.service.reinforcing import Reinforcer

__all__ = [
    "TASK",
    "Forgetter",
    "Law",
    "Prospect",
    "Reinforcer",
    "curves",
    "draw",
    "keep_house",
    "preview",
    "queue_run",
    "retention",
    "run",
]
