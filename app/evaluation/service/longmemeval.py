"""LongMemEval: how well a service finds the sessions or turns that answer a question.

Source: LongMemEval, arXiv:2410.10813. Deviation: sessions count once each, in the order of their
best turns, where the published code counts every turn of a session within its ideal gain.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from app.evaluation.kernel import longmemeval as kernel
from app.evaluation.kernel.longmemeval import Asked, Granularity, Instance, Item, Speakers
from app.evaluation.kernel.ranking import PLACES, figures
from app.evaluation.protocol import Api, Json
from app.evaluation.service.storing import store, temporary_user

_APART = timedelta(seconds=1)
"""Between two turns of a session; the file dates sessions only."""


@dataclass(frozen=True, slots=True)
class LongMemEval:
    """How the suite is run."""

    api: Api
    granularity: Granularity = "session"
    speakers: Speakers = "user"
    """Whose turns are stored; the published retrieval code stores the user's only."""

    async def run(self, instances: Sequence[Instance]) -> AsyncGenerator[Asked]:
        """Store each haystack for a user of its own, ask its question, erase it again."""
        for instance in instances:
            async with temporary_user(self.api) as user:
                items = kernel.items(instance, self.speakers)
                ids = await store(self.api, user, [_item(instance, item) for item in items])
                held = dict(zip(ids, items, strict=True))
                ranked = await self._ranked(instance, user, held)
            wanted = kernel.wanted(instance, self.granularity, self.speakers)
            yield Asked(instance, ranked, wanted)

    async def _ranked(self, instance: Instance, user: str, held: dict[str, Item]) -> list[str]:
        body = {
            "user_id": user,
            "query": instance.question,
            "limit": max(PLACES),
            "granularity": self.granularity,
            "as_of": _asked_at(instance),
            "reinforce": False,
        }
        answer = await self.api.call("POST", "/v1/recall", body)
        found = [held[hit["id"]] for hit in answer["hits"]]
        if self.granularity == "session":
            names = [kernel.session_name(instance, item.session) for item in found]
        else:
            names = [kernel.turn_name(instance, item.session, item.turn) for item in found]
        return list(dict.fromkeys(names))


def _item(instance: Instance, item: Item) -> Json:
    at = instance.sessions[item.session].at + item.turn * _APART
    return {
        "content": item.content,
        "role": item.role,
        "session_id": f"session-{item.session}",
        "occurred_at": at.isoformat(),
    }


def _asked_at(instance: Instance) -> str:
    """Return when the question was asked, or when the last was said: nothing is left out."""
    last = max((session.at for session in instance.sessions), default=instance.asked_at)
    return max(instance.asked_at, last + timedelta(hours=1)).isoformat()


def line(asked: Asked) -> dict[str, Any]:
    """Return a result as it is written: the ranked ids and what they are worth."""
    return {
        "question_id": asked.instance.id,
        "question_type": asked.instance.kind,
        "is_abstention": asked.instance.abstains,
        "ranked_ids": list(asked.ranked),
        "wanted_ids": sorted(asked.wanted),
        "metrics": figures(asked.ranked, asked.wanted),
    }
