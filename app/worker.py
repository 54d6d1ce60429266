"""The worker process: composes the rooms' tasks and runs the queue."""

import asyncio
import os
import signal

from app.derivations import DERIVATIONS
from app.embeddings.client import HttpEmbedder
from app.embeddings.protocol import Embedder
from app.facts import tasks as facts
from app.feedback import tasks as feedback
from app.forgetting import tasks as forgetting
from app.ingestion import tasks as ingestion
from app.jobs import tasks as jobs
from app.jobs.protocol import TaskRegistry
from app.jobs.tasks import JobWorker
from app.kit import logging, metrics
from app.kit.database import Database
from app.kit.settings import Settings
from app.linking import tasks as linking
from app.llm import service as language_models
from app.llm import tasks as llm_tasks
from app.llm.protocol import LanguageModel
from app.memories import tasks as memories
from app.memories.service import Spaces
from app.profiles import tasks as profiles
from app.segmentation import tasks as segmentation
from app.thoughts import tasks as thoughts

NICENESS = 5
"""The api, and whoever it waits for, come first where processors are scarce."""
STOP_WITHIN_S = 7.5
"""Seconds after which a worker that was told to stop ends, whatever it waits for."""

log = logging.get_logger("worker")


def build_registry(
    database: Database,
    embedder: Embedder,
    settings: Settings,
    llm: LanguageModel | None = None,
) -> TaskRegistry:
    """Return the tasks and housekeeping of all rooms."""
    registry = TaskRegistry()
    jobs.register(registry, settings.housekeeping)
    llm_tasks.register(registry, settings.housekeeping)
    spaces = Spaces.configured(database, settings, primary=embedder)
    memories.register(registry, spaces, settings.housekeeping, DERIVATIONS)
    memories.register_covering(registry, spaces, settings.retrieval)
    ingestion.register(registry, settings.housekeeping)
    linking.register(registry, spaces, llm, settings.linking)
    profiles.register(registry, spaces, llm, settings.profiles)
    feedback.register(registry, settings.housekeeping)
    forgetting.register(registry, DERIVATIONS)
    segmentation.register(registry, spaces, settings.segmentation)
    thoughts.register(registry, spaces, llm, settings.thoughts)
    facts.register(registry, spaces, llm)
    return registry


def main() -> None:
    """Run until SIGTERM or Ctrl-C."""
    settings = Settings()
    logging.configure(settings.log, process="worker")
    os.nice(NICENESS)
    asyncio.run(run(settings))


async def run(settings: Settings) -> None:
    """Work until told to stop; running tasks get the drain time and then go back to the queue."""
    stop = stop_on_signals()
    database = Database(settings.required_database_url(), settings.database, name="worker")
    embedder = HttpEmbedder(settings.embeddings)
    llm = language_models.configured(settings.llm, database)
    try:
        registry = build_registry(database, embedder, settings, llm)
        if settings.jobs.metrics_port:
            host = settings.host if settings.metrics_open else "127.0.0.1"
            metrics.serve(host, settings.jobs.metrics_port)
        log.info("worker started", concurrency=settings.jobs.concurrency)
        await JobWorker(database, registry, settings).run(stop)
        log.info("worker stopped")
    finally:
        await embedder.aclose()
        if llm is not None:
            await llm.aclose()
        await database.close()


def stop_on_signals() -> asyncio.Event:
    """Return an event that SIGTERM and Ctrl-C set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def told() -> None:
        stop.set()
        # A database that does not answer must not hold us up: to be killed is safe at any time.
        loop.call_later(STOP_WITHIN_S, os._exit, 1)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told)
    return stop
