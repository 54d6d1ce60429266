"""A haystack of our own in the published form, and the api as a suite calls it."""

from dataclasses import dataclass
from typing import Any

from app.evaluation.errors import CallFailedError
from tests.memories.helpers import Store

Json = dict[str, Any]


@dataclass(frozen=True)
class StoreApi:
    """A test's api in the form that suites ask for."""

    store: Store

    async def call(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401
        answer = await self.store.send(method, path, body)
        if answer.status_code >= 400:
            raise CallFailedError(answer.text)
        return answer.json() if answer.content else None


def turn(role: str, content: str, *, has_answer: bool | None = None) -> Json:
    made: Json = {"role": role, "content": content}
    return made if has_answer is None else {**made, "has_answer": has_answer}


def instance(**changes: object) -> Json:
    """Return one question: a session with the answer, one told by the assistant, one of neither."""
    return {
        "question_id": "q1",
        "question_type": "single-session-user",
        "question": "Which colour did I paint the fence?",
        "answer": "green",
        "question_date": "2023/06/01 (Thu) 10:00",
        "haystack_session_ids": ["noise_1", "answer_aa11", "answer_bb22"],
        "haystack_dates": [
            "2023/05/20 (Sat) 02:21",
            "2023/05/22 (Mon) 12:00",
            "2023/05/25 (Thu) 18:30",
        ],
        "haystack_sessions": [
            [turn("user", "How do I cook rice?"), turn("assistant", "With twice the water.")],
            [
                turn("user", "Good morning!", has_answer=False),
                turn("assistant", "Good morning.", has_answer=False),
                turn("user", "I painted the garden fence green.", has_answer=True),
            ],
            [
                turn("user", "What did I say of the shed?", has_answer=False),
                turn("assistant", "That the shed is green as well.", has_answer=True),
            ],
        ],
        "answer_session_ids": ["answer_aa11", "answer_bb22"],
        **changes,
    }
