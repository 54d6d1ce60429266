"""Store what was said."""

from app.ingestion.service.reading import Write, check_limits, read
from app.ingestion.service.writing import forget_requests, remember

__all__ = ["Write", "check_limits", "forget_requests", "read", "remember"]
