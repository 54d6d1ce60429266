"""The published form of LongMemEval, and the suite against the service."""

import json
from datetime import UTC, datetime

import pytest

from app.evaluation.kernel.longmemeval import (
    Asked,
    FormatError,
    by_kind,
    items,
    read,
    summary,
    wanted,
    when,
)
from app.evaluation.service import LongMemEval
from tests.evaluation.helpers import Json, StoreApi, instance
from tests.memories.helpers import Store

UNDECIDED = instance(question_id="q1_abs", question_type="knowledge-update")
ONLY_BY_ASSISTANT = instance(
    question_id="q2",
    question_type="single-session-assistant",
    answer_session_ids=["answer_bb22"],
)


def test_a_date_is_read_whatever_its_weekday() -> None:
    assert when("2023/05/20 (Sat) 02:21") == datetime(2023, 5, 20, 2, 21, tzinfo=UTC)
    assert when("2023/05/20 (Mon) 02:21") == datetime(2023, 5, 20, 2, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    "rows",
    [
        {"question_id": "q1"},
        [{"question_id": "q1"}],
        [instance(haystack_dates=["2023/05/20 (Sat) 02:21"])],
        [instance(question_date="yesterday")],
    ],
)
def test_a_file_of_another_form_is_refused(rows: object) -> None:
    with pytest.raises(FormatError):
        read(rows)


def test_only_the_users_turns_are_stored_unless_all_are_asked_for() -> None:
    (one,) = read([instance()])

    assert [(item.session, item.turn) for item in items(one, "user")] == [
        (0, 1), (1, 1), (1, 3), (2, 1),
    ]  # fmt: skip
    assert len(items(one, "all")) == 7


def test_an_answer_that_only_the_assistant_gave_is_no_target_among_users_turns() -> None:
    (one,) = read([instance()])

    assert wanted(one, "session", "user") == {"answer_aa11"}
    assert wanted(one, "turn", "user") == {"answer_aa11_3"}
    assert wanted(one, "session", "all") == {"answer_aa11", "answer_bb22"}
    assert wanted(one, "turn", "all") == {"answer_aa11_3", "answer_bb22_2"}


def test_a_question_without_an_answer_has_no_target() -> None:
    (one,) = read([UNDECIDED])

    assert one.abstains
    assert wanted(one, "session", "all") == frozenset()


def _asked(row: Json, ranked: list[str]) -> Asked:
    (one,) = read([row])
    return Asked(one, ranked, wanted(one, "session", "user"))


def test_both_populations_are_given_with_their_number() -> None:
    asked = [
        _asked(instance(), ["noise_1", "answer_aa11"]),
        _asked(ONLY_BY_ASSISTANT, ["noise_1"]),
        _asked(UNDECIDED, ["noise_1"]),
    ]

    means = summary(asked)

    assert means["answerable"]["n"] == 2
    assert means["with_target"]["n"] == 1
    assert means["answerable"]["recall_all@1"] == 0.5  # nothing to find counts as found
    assert means["answerable"]["recall_any@5"] == 0.5
    assert means["with_target"]["recall_all@1"] == 0
    assert means["with_target"]["recall_all@3"] == 1
    assert by_kind(asked)["single-session-user"]["n"] == 1
    assert by_kind(asked)["single-session-assistant"] == {"n": 0}


@pytest.mark.pg
async def test_the_suite_ranks_by_the_files_ids_and_erases_what_it_stored(store: Store) -> None:
    suite = LongMemEval(StoreApi(store))

    (asked,) = [one async for one in suite.run(read([instance()]))]

    assert asked.ranked[0] == "answer_aa11"
    assert set(asked.ranked) == {"noise_1", "answer_aa11", "answer_bb22"}
    assert (await store.get("/v1/users"))["items"] == []


@pytest.mark.pg
async def test_turns_are_ranked_by_the_published_ids(store: Store) -> None:
    suite = LongMemEval(StoreApi(store), "turn")

    (asked,) = [one async for one in suite.run(read([instance()]))]

    assert asked.ranked[0] == "answer_aa11_3"
    assert asked.wanted == {"answer_aa11_3"}


class _Listening(StoreApi):
    """Remembers everything that was sent."""

    sent: list[str]

    async def call(self, method: str, path: str, body: object = None) -> object:
        self.sent.append(json.dumps(body))
        answer: object = await super().call(method, path, body)
        return answer


@pytest.mark.pg
async def test_no_id_of_the_file_ever_reaches_the_service(store: Store) -> None:
    api = _Listening(store)
    object.__setattr__(api, "sent", [])

    assert [one async for one in LongMemEval(api, "turn", "all").run(read([instance()]))]

    assert len(api.sent) > 2
    assert all("answer_" not in text and "noise_" not in text for text in api.sent)


@pytest.mark.pg
async def test_without_the_memories_nothing_is_found(store: Store) -> None:
    empty = instance(haystack_sessions=[[], [], []])

    (asked,) = [one async for one in LongMemEval(StoreApi(store)).run(read([empty]))]

    assert asked.ranked == []
