"""Files and functions stay small enough to be read at one go."""

import statistics
from collections.abc import Callable

from tests.policy.sources import FunctionNode, app_files, python_files

FILE_LINES = 500
FILE_LINES_SOFT = 300
FILE_LINES_MEDIAN = 120
FUNCTION_LINES = 50
ALL = ("app", "migrations", "scripts", "tests")


def _length(function: FunctionNode) -> int:
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1


def test_no_file_is_longer_than_500_lines(
    record_property: Callable[[str, object], None],
) -> None:
    sizes = {source.path: source.lines for source in python_files(*ALL)}
    record_property("files over the soft limit", _over(sizes, FILE_LINES_SOFT))

    assert _over(sizes, FILE_LINES) == {}


def _over(sizes: dict[str, int], limit: int) -> dict[str, int]:
    return {path: lines for path, lines in sizes.items() if lines > limit}


def test_half_of_the_files_are_much_shorter() -> None:
    sizes = [source.lines for source in app_files() if source.lines]

    assert statistics.median(sizes) <= FILE_LINES_MEDIAN


def test_no_function_is_longer_than_50_lines() -> None:
    long = {
        f"{source.at(function)} {function.name}": _length(function)
        for source in python_files(*ALL)
        for function in source.functions()
        if _length(function) > FUNCTION_LINES
    }

    assert long == {}
