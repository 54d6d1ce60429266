"""What is stored of an error never holds a memory's text."""

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from app.jobs.errors import JobStateError, TaskError, describe
from app.kit.database import Database

SECRET = "Ana's sister lives in Graz"


@pytest.mark.parametrize("error", [ValueError(SECRET), KeyError(SECRET), OSError(2, SECRET)])
def test_of_others_errors_only_the_kind_is_told(error: Exception) -> None:
    assert describe(error) == type(error).__name__


def test_our_own_errors_speak_for_themselves() -> None:
    assert describe(TaskError("the model is away")) == "TaskError: the model is away"
    assert describe(JobStateError("it runs")) == "JobStateError: it runs"


def test_a_long_message_is_cut() -> None:
    assert len(describe(TaskError("x" * 10_000))) == 500


@pytest.mark.pg
async def test_of_a_database_error_the_kind_and_the_sqlstate_are_told(database: Database) -> None:
    with pytest.raises(DBAPIError) as raised:
        async with database.transaction() as session:
            await session.execute(sa.text("SELECT CAST(:said AS integer)"), {"said": SECRET})

    assert SECRET in str(raised.value)
    assert SECRET not in describe(raised.value)
    assert "(22P02)" in describe(raised.value)
