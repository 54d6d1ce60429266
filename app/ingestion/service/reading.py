"""From a request to a write: limits checked, defaults filled in, digests made."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.ingestion.kernel import content_digest, digest
from app.ingestion.schemas import MemoriesCreate, MemoryItem
from app.kit.body import check_content, check_metadata, too_much
from app.kit.settings import LimitSettings
from app.tenants import service as tenants
from app.tenants.schemas import OwnerName, Principal


@dataclass(frozen=True, slots=True)
class Said:
    """An item with its defaults filled in and its digests."""

    item: MemoryItem
    session_id: str | None
    occurred_at: datetime
    body_digest: bytes
    digest: bytes


@dataclass(frozen=True, slots=True)
class Write:
    """One request, checked and digested."""

    principal: Principal
    owner: OwnerName
    agent_id: str | None
    said: Sequence[Said]
    infer: bool
    key: str | None
    request_digest: bytes
    now: datetime


def check_limits(body: MemoriesCreate, limits: LimitSettings) -> None:
    """Refuse what is larger than a limit, naming item and limit."""
    if len(body.items) > limits.items:
        path = "items"
        raise too_much(path, f"{limits.items} items")
    for index, item in enumerate(body.items):
        check_content(item.content, f"items[{index}].content", limits)
        check_metadata(item.metadata, f"items[{index}].metadata", limits)


def read(principal: Principal, body: MemoriesCreate, *, key: str | None, now: datetime) -> Write:
    """Name the owner, fill in defaults and make digests.

    Items without a time keep their order: each is a microsecond later than the one before.
    """
    owner = tenants.name_owner(principal, body.user_id, body.agent_id)
    said = [
        _said(item, body, now + timedelta(microseconds=position))
        for position, item in enumerate(body.items)
    ]
    return Write(
        principal=principal,
        owner=owner,
        agent_id=body.agent_id,
        said=said,
        infer=body.infer == "auto",
        key=key,
        request_digest=digest(body.model_dump(mode="json")),
        now=now,
    )


def _said(item: MemoryItem, body: MemoriesCreate, default_time: datetime) -> Said:
    occurred_at = item.occurred_at or default_time
    session_id = item.session_id or body.session_id
    words = {
        "content": item.content,
        "session_id": session_id,
        "role": item.role,
        "name": item.name,
        "kind": item.kind,
        "agent_id": body.agent_id,
    }
    sent = item.model_dump(mode="json") | {"session_id": session_id, "agent_id": body.agent_id}
    return Said(item, session_id, occurred_at, digest(sent), content_digest(words, occurred_at))
