"""Structured logs. No log line may hold text of a memory: log ids, counts and route templates."""

import logging
import sys

import structlog
from structlog.typing import FilteringBoundLogger, Processor

from app.kit.settings import LogSettings


def configure(settings: LogSettings, *, process: str) -> None:
    """Send all logs of this process to standard error in one shape."""
    level = getattr(logging, settings.level.upper())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if settings.format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        # Loggers are made at import, before a process says how it logs; tests say it anew.
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.bind_contextvars(process=process)
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(message)s"
    )
    logging.getLogger("procrastinate").setLevel(logging.ERROR)


def get_logger(name: str) -> FilteringBoundLogger:
    """Return a logger that carries its room's name."""
    logger: FilteringBoundLogger = structlog.get_logger(room=name)
    return logger
