"""The whole chain behind a write, run as a worker would, and all rows that an owner has."""

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime

from app.derivations import DERIVATIONS
from app.facts import tasks as facts
from app.ingestion.service import ENRICHMENT_TASKS
from app.jobs.protocol import TaskRegistry
from app.kit.database import Database
from app.linking import tasks as linking
from app.llm.protocol import LanguageModel
from app.memories import tasks as memories
from app.profiles import tasks as profiles
from app.segmentation import tasks as segmentation
from app.thoughts import tasks as thoughts
from tests.memories.helpers import Json, Sent, Store, at, until_done

_TABLES = """
    SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
        AND a.attname = 'owner_id' AND NOT a.attisdropped AND c.relname <> 'owners'
    ORDER BY 1
"""
_TIMES = frozenset({"created_at", "updated_at", "at", "event_no", "digest", "owner_id",
                    "fact_no", "conflict_no", "detected_at", "known_from", "known_to"})  # fmt: skip
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

LIFE = (
    "I live in Berlin.",
    "My sister Carla plays the violin.",
    "I like tea.",
    "I planted tomatoes in the garden.",
    "The tomatoes in the garden need water.",
    "My garden has tomatoes and beans.",
    "I moved to Rome.",
    "I play the violin with Carla.",
)
"""What is enough for notes, links, thoughts that contradict and merge, days and a topic."""


def life(user: str = "Alice") -> list[Json]:
    """Return what somebody said on one day, a few hours apart."""
    return [
        {"content": said, "name": user, "occurred_at": at(60 * n), "session_id": "s"}
        for n, said in enumerate(LIFE)
    ]


def registry(store: Store, llm: LanguageModel | None = None) -> TaskRegistry:
    """Return the tasks of the chain, on this api's embedder."""
    made = TaskRegistry()
    memories.register(made, store.spaces, store.settings.housekeeping, DERIVATIONS)
    segmentation.register(made, store.spaces, store.settings.segmentation)
    linking.register(made, store.spaces, llm, store.settings.linking)
    thoughts.register(made, store.spaces, llm, store.settings.thoughts)
    profiles.register(made, store.spaces, llm, store.settings.profiles)
    facts.register(made, store.spaces, llm)
    return made


async def chain(
    store: Store,
    user_id: str = "alice",
    *,
    llm: LanguageModel | None = None,
    tasks: Sequence[str] = ENRICHMENT_TASKS,
    database: Database | None = None,
) -> None:
    """Run the tasks of the chain, each as often as it asks to be."""
    context = await store.task_context(user_id, database=database)
    known = registry(store, llm).tasks
    for name in tasks:
        await until_done(known[name], context)


async def expire(store: Store, moment: datetime) -> None:
    """Archive what has expired by a moment, as the worker's housekeeping would."""
    chore = registry(store).chores["memories.expire"]
    await chore(store.database, store.tenant_id, moment)


async def owner_tables(store: Store) -> list[str]:
    """Return every table that holds rows of owners."""
    return [row[0] for row in await store.rows(_TABLES)]


async def contents(store: Store, user_id: str = "alice") -> dict[str, list[Json]]:
    """Return all rows of an owner as JSON, by table."""
    scope = await store.scope(user_id)
    return {
        table: [
            row[0]
            for row in await store.rows(
                f"SELECT to_jsonb(t) FROM {table} t WHERE owner_id = :owner_id ORDER BY t::text",
                owner_id=scope.owner_id,
            )
        ]
        for table in await owner_tables(store)
    }


async def fingerprint(store: Store, user_id: str = "alice") -> dict[str, str]:
    """Return a digest of an owner's rows by table."""
    held = _without_steps(await contents(store, user_id))
    return {table: hashlib.sha256(repr(rows).encode()).hexdigest() for table, rows in held.items()}


def _without_steps(held: dict[str, list[Json]]) -> dict[str, list[Json]]:
    """Leave of cursors only the changes that they have seen.

    They step over what mechanisms made, which has ordinals, too, but is none of their business.
    """
    for row in held["mechanism_cursors"]:
        del row["updated_at"], row["ordinal"]
    return held


async def alike(store: Store, user_id: str) -> dict[str, list[str]]:
    """Return an owner's rows without what no two owners share: ids, and when it was done."""
    held = _without_steps(await contents(store, user_id))
    return {table: sorted(map(_plain, rows)) for table, rows in held.items() if table != "jobs"}


def _plain(row: Json) -> str:
    kept = {name: value for name, value in row.items() if name not in _TIMES}
    if "archived_at" in kept:
        kept["archived_at"] = kept["archived_at"] is not None
    return _ID.sub("*", repr(kept))


async def switch(store: Store, **mechanisms: Sent) -> None:
    """Switch mechanisms on or off for the whole tenant."""
    answer = await store.send("PUT", "/v1/settings", {"mechanisms": mechanisms})
    assert answer.status_code == 200, answer.text
