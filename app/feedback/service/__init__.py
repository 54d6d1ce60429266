"""The verbs of the room."""

from app.feedback.service.compensating import compensations
from app.feedback.service.noting import RecallLog, forget_recalls
from app.feedback.service.voting import vote

__all__ = ["RecallLog", "compensations", "forget_recalls", "vote"]
