"""The one failure of the launcher: something the operator can mend."""

from collections.abc import Callable

Progress = Callable[[str], None]


class LaunchError(Exception):
    """Why nothing was started, in one sentence for the operator."""


def silent(_: str) -> None:
    """Report progress to nobody."""
