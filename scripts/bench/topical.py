"""Talk for measuring, recombined at run time from other people's data; none of it is kept here.

Reads conversations and passages in the common form of the evaluation sets, cuts them into
sentences, and puts new turns together from sentences of one topic. Every user has a home
conversation, whose people speak; one of them speaks most, so that one name stands in most keys.
Without such data the made-up sentences of ``corpus`` take their place.
"""

import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from scripts.bench import corpus

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SESSION = 20
"""Turns of one session: they share a topic."""
_FILES = ("locomo_dev", "beam_dev", "nq_pool")
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_LENGTHS = range(20, 240)
_UNITS = 6_000
_LEAST_UNITS = 12
"""Sentences of one topic, at least: short sessions and passages share one."""
_HOME_SHARE = 0.6
_FIRST_SPEAKER_SHARE = 0.65
_RARE_SHARE = 0.35


class Turn(NamedTuple):
    """One made turn, and the sentences it was made of."""

    speaker: str
    text: str
    units: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Home:
    """A conversation: who speaks, of what topics, and what is asked about it."""

    people: tuple[str, str]
    topics: Sequence[Sequence[int]]
    questions: Sequence[str]


@dataclass(frozen=True, slots=True)
class Library:
    """Sentences by topic."""

    units: Sequence[str]
    topics: Sequence[Sequence[int]]
    homes: Sequence[Home]

    def home_of(self, number: int) -> Home:
        """Return the home of a user."""
        return self.homes[number % len(self.homes)]

    def turns(self, number: int, *, seed: int) -> Iterator[Turn]:
        """Yield a user's turns without end, session by session."""
        rng, home = random.Random(f"{seed}-{number}"), self.home_of(number)
        while True:
            of_home = rng.random() < _HOME_SHARE
            topic = rng.choice(home.topics if of_home else self.topics)
            for _ in range(SESSION):
                yield self._turn(rng, home, topic)

    def _turn(self, rng: random.Random, home: Home, topic: Sequence[int]) -> Turn:
        first, second = rng.choice(topic), rng.choice(topic)
        text = self.units[first]
        if first != second and rng.random() < 0.5:
            text += " " + self.units[second]
        if rng.random() < _RARE_SHARE:
            text += f" Ref {rng.choice('ABCDEFGH')}{rng.randrange(1_000_000)}."
        speaker = home.people[rng.random() > _FIRST_SPEAKER_SHARE]
        return Turn(speaker, text, (first, second))


def read(directory: Path = DATA) -> Library:
    """Read the sets of a directory; made-up talk where they are absent."""
    files = [directory / f"{name}.jsonl" for name in _FILES]
    if not all(file.exists() for file in files):
        return made_up()
    units: list[str] = []
    topics: list[list[int]] = []
    homes: list[Home] = []
    for file in files:
        spaces = [json.loads(line) for line in file.read_text().splitlines()]
        share = _UNITS // len(files)
        for space in spaces:
            found = _topics(space["docs"], units, share // len(spaces))
            topics += found
            people = list(dict.fromkeys(one["speaker"] for one in space["docs"]))
            if len(people) == 2 and "user" not in people:
                asked = [one["q"] for one in space["queries"] if not one["cat"].startswith("5")]
                homes.append(Home((people[0], people[1]), found, asked))
    return Library(units, topics, homes)


def _topics(docs: Sequence[dict[str, Any]], units: list[str], most: int) -> list[list[int]]:
    """Add the sentences of one space, and return their numbers by session."""
    sessions = [[turn["text"] for turn in turns] for _, turns in groupby(docs, _session)]
    found: list[list[int]] = [[]]
    for texts in sessions:
        held = [one for text in texts for one in _SENTENCE.split(text.replace("\n", " "))]
        kept = [one for one in held if len(one) in _LENGTHS][: max(2, most // len(sessions))]
        if len(found[-1]) >= _LEAST_UNITS:
            found.append([])
        found[-1] += range(len(units), len(units) + len(kept))
        units += kept
    return found


def _session(doc: dict[str, Any]) -> Any:  # noqa: ANN401  -- a number in one set, a title in another
    return doc["session"]


def made_up() -> Library:
    """Return sentences that nobody said."""
    units = corpus.sentences(4_000, seed=7)
    topics = [list(range(start, start + 40)) for start in range(0, len(units), 40)]
    people = corpus.PEOPLE
    homes = [
        Home((people[place], people[place + 1]), topics[place::10], corpus.questions(100, seed=3))
        for place in range(10)
    ]
    return Library(units, topics, homes)
