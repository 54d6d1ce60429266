"""The gate on a hundred true sentences, and on a hundred with one wrong name, number or date."""

import re
from collections.abc import Iterator
from itertools import cycle

from app.llm.gate import supported
from tests.llm.stories import STORIES, WRONG_NAMES, WRONG_NUMBERS

_NUMBER = re.compile(
    r"\b\d[\d,.:]*\d\b|\b\d\b|\b(?:two|three|four|five|six|seven|eight|nine|ten)\b"
)
_NAME = re.compile(r"(?<=[a-z,] )[A-Z]\w+|^[A-Z]\w+(?=,|'s| [A-Z])")

TRUE = [(sources, sentence) for sources, summary in STORIES for sentence in summary]


def _wrong(choices: Iterator[str], sources: tuple[str, ...]) -> str:
    """Return the next name or number that is indeed in none of the sources."""
    return next(one for one in choices if supported(f"It is {one}.", sources).dropped)


def planted() -> list[tuple[tuple[str, ...], str]]:
    """Return every sentence with one of its names or numbers replaced by a wrong one."""
    kinds = ((_NUMBER, cycle(WRONG_NUMBERS)), (_NAME, cycle(WRONG_NAMES)))
    found = []
    for sources, sentence in TRUE:
        for pattern, choices in kinds:
            match = pattern.search(sentence)
            if match:
                wrong = _wrong(choices, sources)
                found.append((sources, sentence[: match.start()] + wrong + sentence[match.end() :]))
    return found


def test_nearly_all_true_sentences_are_kept() -> None:
    dropped = [sentence for sources, sentence in TRUE if supported(sentence, sources).dropped]

    assert len(TRUE) == 100
    assert len(dropped) <= 2, dropped


def test_nearly_all_wrong_names_and_numbers_are_found() -> None:
    wrong = planted()

    kept = [sentence for sources, sentence in wrong if not supported(sentence, sources).dropped]

    assert len(wrong) >= 100
    assert len(kept) <= 0.05 * len(wrong), kept
