"""Turns the signals that ask us to stop into one exception."""

import signal
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Self

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequestedError(BaseException):
    """Somebody asked us to stop; not an ``Exception``, so that nothing swallows it."""


class StopSignals:
    """While entered, SIGINT, SIGTERM and SIGHUP raise ``StopRequestedError`` once."""

    def __init__(self) -> None:
        self._asked = False
        self._held = False
        self._name = ""
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> Self:
        """Take over the signals."""
        self._before = {number: signal.signal(number, self._receive) for number in _STOPPING}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal() gave us

    def _receive(self, number: int, _: FrameType | None) -> None:
        first, self._asked = not self._asked, True
        self._name = signal.Signals(number).name
        if first and not self._held:
            raise StopRequestedError(self._name)

    @contextmanager
    def held(self) -> Generator[None]:
        """Let nothing interrupt the block; what was asked meanwhile is raised at its end."""
        before, self._held = self._asked, True
        yield
        self._held = False
        if self._asked and not before:
            raise StopRequestedError(self._name)

    def ignore(self) -> None:
        """Heed no further signals: we are stopping already."""
        self._asked = True
