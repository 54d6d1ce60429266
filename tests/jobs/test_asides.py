"""Pieces of a task that fail alone are set aside; what concerns all ends the attempt."""

from uuid import UUID

import pytest

from app.jobs.errors import TaskError, TaskPostponedError
from app.jobs.protocol import TaskContext
from app.jobs.service import Asides
from app.jobs.service.asides import LONGEST_WAIT_S, MOST_IN_A_ROW
from app.kit.database import Database

AWAY = TaskPostponedError("away", retry_in_s=30)


def _context(attempt: int = 1, *, waited_s: float = 0.0) -> TaskContext:
    database = Database.__new__(Database)
    nobody = UUID(int=0)
    return TaskContext(
        database=database,
        tenant_id=nobody,
        owner_id=None,
        job_id=nobody,
        attempt=attempt,
        waited_s=waited_s,
    )


def _try(asides: Asides[int], *errors: Exception | None) -> None:
    for piece, error in enumerate(errors):
        with asides.trying(piece):
            if error is not None:
                raise error


def test_the_first_failure_fails_the_attempt_when_all_were_tried() -> None:
    asides = Asides[int]()
    _try(asides, ValueError("one"), None, KeyError("two"))

    assert asides.pieces == {0, 2}
    with pytest.raises(ValueError, match="one"):
        asides.close(_context())


def test_nothing_failed_nothing_is_raised() -> None:
    asides = Asides[int]()
    _try(asides, None, None)

    asides.close(_context())


def test_failures_in_a_row_are_no_longer_the_pieces_fault() -> None:
    asides = Asides[int]()
    errors = [ValueError(str(piece)) for piece in range(MOST_IN_A_ROW + 5)]

    with pytest.raises(ValueError, match=str(MOST_IN_A_ROW - 1)):
        _try(asides, *errors)


def test_what_is_away_twice_in_a_row_is_away_for_all() -> None:
    with pytest.raises(TaskPostponedError):
        _try(Asides[int](), AWAY, AWAY)


def test_what_is_away_for_one_piece_only_costs_an_attempt() -> None:
    asides = Asides[int]()
    _try(asides, AWAY, None)

    with pytest.raises(TaskError) as raised:
        asides.close(_context())
    assert not isinstance(raised.value, TaskPostponedError)


@pytest.mark.parametrize("attempt", [1, 2])
def test_what_may_be_away_for_all_is_waited_for_in_the_first_attempt(attempt: int) -> None:
    asides = Asides[int]()
    _try(asides, None, AWAY)

    with pytest.raises(TaskError) as raised:
        asides.close(_context(attempt))
    assert isinstance(raised.value, TaskPostponedError) == (attempt == 1)


def test_nobody_waits_for_ever_for_what_is_away_for_the_only_piece() -> None:
    asides = Asides[int]()
    _try(asides, AWAY)

    with pytest.raises(TaskError) as raised:
        asides.close(_context(waited_s=LONGEST_WAIT_S))
    assert not isinstance(raised.value, TaskPostponedError)


def test_what_gives_others_a_turn_or_concerns_all_passes() -> None:
    with pytest.raises(TaskPostponedError):
        _try(Asides[int](), TaskPostponedError("others first", retry_in_s=0))
    with pytest.raises(LookupError):
        _try(Asides[int](LookupError), LookupError())
