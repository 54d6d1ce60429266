"""Conversations of others, stored as a server would."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from app.embeddings.client import HttpEmbedder
from app.ingestion import service as ingestion
from app.ingestion.schemas import MemoriesCreate, MemoryItem
from app.kit import clock
from app.kit.database import Database
from app.memories.service import Spaces
from app.tenants.schemas import Principal

TENANT = UUID(int=1)
_BATCH = 100

_ADD_TENANT = sa.text("""
    INSERT INTO tenants (tenant_id, name, created_at) VALUES (:tenant_id, 'bench', now())
""")


class Conversation(NamedTuple):
    """What one user is told."""

    user: str
    items: list[MemoryItem]


def read(texts: str) -> list[Conversation]:
    """Read conversations, one JSON object a line; see ``scripts.bench.enrichment``."""
    held = [json.loads(line) for line in texts.splitlines()]
    return [Conversation(one["id"], _items(one["docs"])) for one in held]


def single_turns(conversations: Sequence[Conversation], count: int) -> list[Conversation]:
    """Return conversations of one turn each, as if many users said one thing."""
    items = [item for one in conversations for item in one.items][:count]
    return [Conversation(f"user{number}", [item]) for number, item in enumerate(items)]


def _items(docs: list[dict[str, Any]]) -> list[MemoryItem]:
    """Return turns with the times of their sessions, a minute apart."""
    items = []
    for session, turns in groupby(docs, lambda one: one["session"]):
        for number, turn in enumerate(turns):
            start = datetime.strptime(turn["date"], "%I:%M %p on %d %B, %Y").replace(tzinfo=UTC)
            items.append(
                MemoryItem(
                    content=turn["text"],
                    name=turn["speaker"],
                    session_id=f"s{session}",
                    occurred_at=start + timedelta(minutes=number),
                )
            )
    return items


async def store(
    database: Database, embedder: HttpEmbedder, conversations: Sequence[Conversation]
) -> int:
    """Store conversations with their vectors; return how many memories they are."""
    async with database.transaction(tenant_id=TENANT) as session:
        await session.execute(_ADD_TENANT, {"tenant_id": TENANT})
    principal = Principal(TENANT, UUID(int=2), frozenset({"read", "write"}))
    spaces = Spaces(database, {embedder.model: embedder}, primary=embedder.model)
    for user, items in conversations:
        for start in range(0, len(items), _BATCH):
            body = MemoriesCreate(user_id=user, items=items[start : start + _BATCH])
            write = ingestion.read(principal, body, key=None, now=clock.now())
            await ingestion.remember(database, spaces, write, budget_s=300)
    return sum(len(items) for _, items in conversations)
