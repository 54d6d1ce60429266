"""Pieces of a task that fail alone: set aside, so that they keep nothing from the others."""

from collections.abc import Generator, Hashable
from contextlib import contextmanager
from typing import Generic, TypeVar

from app.jobs.errors import TaskError, TaskPostponedError
from app.jobs.protocol import TaskContext
from app.kit.errors import DatabaseUnavailableError

MOST_IN_A_ROW = 8
"""Failures one after the other that are no longer the pieces' fault."""
LONGEST_WAIT_S = 3_600.0
"""For so long a piece alone waits for what it needs; then to be away counts as a failure."""

Piece = TypeVar("Piece", bound=Hashable)


class Asides(Generic[Piece]):
    """Which pieces of a task failed in this attempt; the next one begins with them again."""

    def __init__(self, *passing: type[Exception]) -> None:
        """Let errors of these kinds pass: they concern all pieces."""
        self.pieces: set[Piece] = set()
        self._passing: tuple[type[Exception], ...] = (*passing, DatabaseUnavailableError)
        self._error: Exception | None = None
        self._is_there = False
        self._in_a_row = 0
        self._was_away = False

    @contextmanager
    def trying(self, piece: Piece) -> Generator[None]:
        """Do one piece; set it aside if it fails.

        What a piece needs may be away for that piece alone, such as a model that runs out of time
        on a long text. Twice in a row it is away for all.
        """
        try:
            yield
        except self._passing:
            raise
        except TaskPostponedError as error:
            if not error.retry_in_s or self._was_away:
                raise
            self._is_there, self._was_away = False, True
            self._set_aside(piece, error)
        except Exception as error:
            self._set_aside(piece, error)
            if self._in_a_row >= MOST_IN_A_ROW:
                raise
        else:
            self._is_there, self._was_away, self._in_a_row = True, False, 0

    def _set_aside(self, piece: Piece, error: Exception) -> None:
        self.pieces.add(piece)
        self._error = self._error or error
        self._in_a_row += 1

    def close(self, context: TaskContext) -> None:
        """Fail the attempt, at its end, if a piece failed.

        Raises:
            TaskPostponedError: nothing has shown since that what the piece needs is there at all.
        """
        if self._error is None:
            return
        is_away = isinstance(self._error, TaskPostponedError)
        is_over = context.attempt > 1 or context.waited_s >= LONGEST_WAIT_S
        if is_away and (self._is_there or is_over):
            raise TaskError(str(self._error)) from self._error
        raise self._error
