"""Which items are news, and which are there already."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from app.episodes.models import Episode
from app.episodes.schemas import Alias
from app.ingestion.errors import ClientIdConflictError
from app.ingestion.service.reading import Said
from app.kit.ids import new_id


@dataclass(slots=True)
class Kept:
    """A memory that is there, or will be when this request is done."""

    id: UUID
    body_digest: bytes
    ordinal: int = 0
    job_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one item.

    ``new``: stored; ``repeat``: its client_id was sent before, so the first answer stands;
    ``duplicate``: the same words at the same time are there under another client_id or none.
    """

    said: Said
    kept: Kept
    verdict: Literal["new", "repeat", "duplicate"]


@dataclass(slots=True)
class Known:
    """What is kept, by client id and by content; news join as they are matched."""

    by_client_id: dict[str, Kept] = field(default_factory=dict)
    by_digest: dict[bytes, Kept] = field(default_factory=dict)
    by_alias: dict[str, tuple[Kept, bytes]] = field(default_factory=dict)
    """Client ids of duplicates: what they stand for, and the digest of their own body."""
    new_aliases: list[tuple[str, UUID, bytes]] = field(default_factory=list)

    @classmethod
    def of(cls, rows: Iterable[Episode]) -> "Known":
        """Read what is kept from its episodes."""
        known = cls()
        for row in rows:
            kept = Kept(row.id, row.body_digest, row.ordinal, row.job_id)
            known.by_digest[row.digest] = kept
            if row.client_key is not None:
                known.by_client_id[row.client_key] = kept
        return known

    def add_aliases(self, aliases: Iterable[Alias]) -> None:
        """Read the client ids under which words were sent that were there already."""
        for alias in aliases:
            kept = Kept(alias.episode_id, alias.body_digest, alias.ordinal)
            self.by_alias[alias.client_key] = (kept, alias.body_digest)

    def match(self, said: Sequence[Said]) -> list[Outcome]:
        """Decide item by item; an item may repeat an earlier one of the same request.

        Raises:
            ClientIdConflictError: a client_id stands for another body.
        """
        return [self._match(one) for one in said]

    def _match(self, said: Said) -> Outcome:
        client_id = said.item.client_id
        if client_id is not None and (kept := self.by_client_id.get(client_id)):
            _same_body(said, kept.body_digest)
            return Outcome(said, kept, "repeat")
        if client_id is not None and (alias := self.by_alias.get(client_id)):
            _same_body(said, alias[1])
            return Outcome(said, alias[0], "duplicate")
        if kept := self.by_digest.get(said.digest):
            if client_id is not None:
                self.by_alias[client_id] = (kept, said.body_digest)
                self.new_aliases.append((client_id, kept.id, said.body_digest))
            return Outcome(said, kept, "duplicate")
        kept = Kept(new_id(), said.body_digest)
        self.by_digest[said.digest] = kept
        if client_id is not None:
            self.by_client_id[client_id] = kept
        return Outcome(said, kept, "new")


def _same_body(said: Said, before: bytes) -> None:
    if before != said.body_digest:
        msg = "The client_id came with another body before."
        raise ClientIdConflictError(msg, client_id=said.item.client_id)
