"""Store what was said."""

from app.ingestion.service.reading import Write, check_limits, read
from app.ingestion.service.writing import ENRICHMENT_TASKS, forget_requests, remember

__all__ = ["ENRICHMENT_TASKS", "Write", "check_limits", "forget_requests", "read", "remember"]
