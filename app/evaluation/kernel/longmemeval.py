"""The file format of LongMemEval, and which of its items answer a question. Pure.

Source: LongMemEval, arXiv:2410.10813, its published data and retrieval code. Deviation: ids that
give the answer away (``answer_…``) never leave this module: what is stored is numbered anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import fmean
from typing import Any, Literal, NamedTuple

from app.evaluation.kernel import ranking

Granularity = Literal["turn", "session"]
Speakers = Literal["user", "all"]

_ABSTAINS = "_abs"


class FormatError(ValueError):
    """The file is not in the format; the text says where."""


class Turn(NamedTuple):
    """One message of a session."""

    role: str
    content: str
    has_answer: bool


class Session(NamedTuple):
    """One conversation of the haystack."""

    id: str
    at: datetime
    turns: Sequence[Turn]


@dataclass(frozen=True, slots=True)
class Instance:
    """One question with its haystack."""

    id: str
    kind: str
    question: str
    asked_at: datetime
    sessions: Sequence[Session]
    evidence: frozenset[str]
    """Ids of the sessions that hold the answer."""

    @property
    def abstains(self) -> bool:
        """Tell whether the haystack does not hold the answer, so that there is none."""
        return self.id.endswith(_ABSTAINS)


class Item(NamedTuple):
    """One message as it is stored: its place in the haystack, from 0, instead of any id."""

    session: int
    turn: int
    """From 1, as the published code counts: over all turns of the session."""
    role: str
    content: str


def read(rows: object) -> list[Instance]:
    """Return the questions of a file.

    Raises:
        FormatError: something is missing or is not what it should be.
    """
    if not isinstance(rows, list):
        msg = "the file is not a list of questions"
        raise FormatError(msg)
    return [_instance(row, number) for number, row in enumerate(rows)]


def _instance(row: Mapping[str, Any], number: int) -> Instance:
    try:
        sessions = [
            Session(str(name), when(date), [_turn(turn) for turn in turns])
            for name, date, turns in zip(
                row["haystack_session_ids"],
                row["haystack_dates"],
                row["haystack_sessions"],
                strict=True,
            )
        ]
        return Instance(
            id=str(row["question_id"]),
            kind=str(row["question_type"]),
            question=str(row["question"]),
            asked_at=when(row["question_date"]),
            sessions=sessions,
            evidence=frozenset(str(name) for name in row.get("answer_session_ids", ())),
        )
    except (KeyError, TypeError, ValueError) as error:
        msg = f"question {number}: {error!r}"
        raise FormatError(msg) from error


def _turn(row: Mapping[str, Any]) -> Turn:
    return Turn(str(row["role"]), str(row["content"]), bool(row.get("has_answer", False)))


def when(text: str) -> datetime:
    """Return a time such as ``2023/05/20 (Sat) 02:21``, taken as UTC: the file has no zone.

    The weekday is not checked against the date.
    """
    date, _, time = text.strip().partition(" (")
    _, _, clock = time.partition(") ")
    return datetime.strptime(f"{date} {clock}", "%Y/%m/%d %H:%M").replace(tzinfo=UTC)


def items(instance: Instance, speakers: Speakers) -> list[Item]:
    """Return what is stored of a haystack: what users said, as the published code does, or all."""
    return [
        Item(number, place, turn.role, turn.content)
        for number, session in enumerate(instance.sessions)
        for place, turn in enumerate(session.turns, 1)
        if turn.content.strip() and (speakers == "all" or turn.role == "user")
    ]


def session_name(instance: Instance, number: int) -> str:
    """Return a session's id as the file has it."""
    return instance.sessions[number].id


def turn_name(instance: Instance, number: int, turn: int) -> str:
    """Return a turn's id as the published code makes it."""
    return f"{instance.sessions[number].id}_{turn}"


def wanted(instance: Instance, granularity: Granularity, speakers: Speakers) -> frozenset[str]:
    """Return the ids that should be found among what is stored; empty: it has no target.

    A session whose answer stands only in turns that are not stored is none, as in the published
    code (which renames it); neither is any session of a question that has no answer.
    """
    if instance.abstains:
        return frozenset()
    found = set()
    for number, session in enumerate(instance.sessions):
        if session.id not in instance.evidence:
            continue
        for place, turn in enumerate(session.turns, 1):
            if turn.has_answer and (speakers == "all" or turn.role == "user"):
                is_session = granularity == "session"
                found.add(session.id if is_session else turn_name(instance, number, place))
    return frozenset(found)


class Asked(NamedTuple):
    """One question's result."""

    instance: Instance
    ranked: Sequence[str]
    wanted: frozenset[str]


def summary(asked: Sequence[Asked]) -> dict[str, dict[str, float]]:
    """Return the mean of every figure over two populations, each with its ``n``.

    ``answerable``: all questions but those without an answer; among them such without a target
    count as found by ``recall_all`` and as 0 otherwise (n = 470 of the published 500).
    ``with_target``: only those with a target (n = 419 by user turns).
    """
    answerable = [one for one in asked if not one.instance.abstains]
    populations = {
        "answerable": answerable,
        "with_target": [one for one in answerable if one.wanted],
    }
    return {name: _means(population) for name, population in populations.items()}


def _means(asked: Sequence[Asked]) -> dict[str, float]:
    rows = [ranking.figures(one.ranked, one.wanted) for one in asked]
    names = rows[0] if rows else {}
    return {"n": float(len(rows)), **{name: fmean(row[name] for row in rows) for name in names}}


def by_kind(asked: Sequence[Asked]) -> dict[str, dict[str, float]]:
    """Return the means over questions with a target for each type of question."""
    kinds = sorted({one.instance.kind for one in asked})
    return {
        kind: summary([one for one in asked if one.instance.kind == kind])["with_target"]
        for kind in kinds
    }
