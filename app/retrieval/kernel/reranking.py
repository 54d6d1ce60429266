"""The second stage of a recall: candidates by a weighted sum of features. Pure.

Features lie in [0, 1], each as a share of the best candidate's where it has no scale of its own:

* ``lexical``, ``cosine``: BM25 and cosine similarity (below 0 counts as 0).
* ``tokens``: late interaction, 0 the least among the candidates.
* ``neighbours``: the mean of the turns before and after in the session, by ``tokens``; those that
  are no candidates count as 0.
* ``speaker``: the question names one of the people who speak, and this one spoke.
* ``date``: how near the memory is to a date in the question.
* ``time_words``: the question asks when, and the memory tells of a time.
* ``question``: the memory ends with a question mark (its weight is negative: answers come first).
* ``session_lexical``, ``session_cosine``: the mean of the session's three best.

Source: conversational retrieval as LongMemEval, arXiv:2410.10813, describes it: time-aware
queries, sessions as context. Deviation: rules and a linear score, no language model.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.retrieval.kernel.candidates import Candidate

MOST_PEOPLE = 10
"""Where more names than this occur, they are titles rather than people who speak."""
_SESSION_BEST = 3
_ASSISTANT_SHARE = 0.1
"""Of the candidates; from here on the memories are talks with an assistant."""
_LEAST_SPAN = 0.2
"""Between the worst and the best candidate by tokens; usually it is twice as much."""
_LEAST = 1e-9
"""What an arm has found is worth more than nothing, whatever its features say."""
_SHORTEST_NICKNAME = 3
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each feature counts."""

    lexical: float
    cosine: float
    tokens: float
    neighbours: float
    speaker: float
    date: float
    time_words: float
    question: float
    session_lexical: float
    session_cosine: float


@dataclass(frozen=True, slots=True)
class WeightSets:
    """Weights for talks among people, and for talks of a user with an assistant.

    Where nothing is known of tokens, others weigh more than they do beside them.
    """

    people: Weights
    assistant: Weights
    people_without_tokens: Weights
    assistant_without_tokens: Weights

    def fitting(self, *, is_assistant: bool, with_tokens: bool) -> Weights:
        """Return the weights for what is known of the candidates."""
        if with_tokens:
            return self.assistant if is_assistant else self.people
        return self.assistant_without_tokens if is_assistant else self.people_without_tokens


@dataclass(frozen=True, slots=True)
class Asked:
    """What rules read in a question, and of each candidate, in the candidates' order."""

    text: str
    dates: Sequence[float] | None
    """Nearness to its dates; ``None``: it holds no date."""
    time_words: Sequence[bool] | None
    """Whether a candidate tells of a time; ``None``: the question does not ask when."""
    tokens: Sequence[float] | None = None
    """How well tokens meet the question's, in [-1, 1]; ``None``: nothing is known of them."""


def with_assistant(candidates: Sequence[Candidate]) -> bool:
    """Tell whether the memories are talks of a user with an assistant."""
    said = sum(one.role == "assistant" for one in candidates)
    return said > 0 and said >= _ASSISTANT_SHARE * len(candidates)


def rerank(
    candidates: Sequence[Candidate], asked: Asked, sets: WeightSets, *, most: int
) -> list[Candidate]:
    """Return the best candidates with the second stage's score and what each feature added.

    A score lies in [0, 1]; 1 is the best in every feature that says anything about the question.
    Ties are broken by age, so that results repeat.

    Args:
        candidates: in any order; each with what the arms said of it.
        asked: what was read in the question, by the candidates' places.
        sets: the weights.
        most: how many to return.
    """
    if not candidates:
        return []
    is_assistant = with_assistant(candidates)
    weights = sets.fitting(is_assistant=is_assistant, with_tokens=asked.tokens is not None)
    values = _features(candidates, asked, is_assistant=is_assistant)
    weighing = {name: weight for name in values if (weight := getattr(weights, name))}
    total = sum(weight for weight in weighing.values() if weight > 0) or 1.0
    columns = [
        [weight * value / total for value in values[name]] for name, weight in weighing.items()
    ]
    rows = list(zip(*columns, strict=True)) or [()] * len(candidates)
    scores = [min(1.0, max(_LEAST, sum(row))) for row in rows]
    best = sorted(range(len(rows)), key=lambda place: (-scores[place], candidates[place].ordinal))
    return [
        candidates[place]._replace(
            score=scores[place], features=dict(zip(weighing, rows[place], strict=True))
        )
        for place in best[:most]
    ]


def _features(
    candidates: Sequence[Candidate], asked: Asked, *, is_assistant: bool
) -> dict[str, Sequence[float]]:
    """Return the features that say anything about the question, by name."""
    found: dict[str, Sequence[float]] = {}
    if any(one.lexical_score is not None for one in candidates):
        found["lexical"] = _shares([one.lexical_score or 0.0 for one in candidates])
        found["session_lexical"] = _of_sessions(candidates, found["lexical"])
    cosines = _cosines(candidates)
    if cosines is not None:
        found["cosine"] = _shares(cosines)
        found["session_cosine"] = _of_sessions(candidates, found["cosine"])
    if asked.tokens is not None:
        found.update(_of_tokens(candidates, asked.tokens))
    if is_assistant:
        found["speaker"] = [float(one.role == "user") for one in candidates]
    elif speaker := _named_speaker(asked.text, candidates):
        found["speaker"] = [float((one.name or "").lower() == speaker) for one in candidates]
    if asked.dates is not None:
        found["date"] = asked.dates
    if asked.time_words is not None:
        found["time_words"] = [float(tells) for tells in asked.time_words]
    found["question"] = [float(one.content.rstrip().endswith("?")) for one in candidates]
    return found


def _cosines(candidates: Sequence[Candidate]) -> list[float] | None:
    """Return cosines; what the dense arm did not reach counts as the farthest that it did."""
    known = [1 - one.dense_distance for one in candidates if one.dense_distance is not None]
    if not known:
        return None
    farthest = min(known)
    return [
        farthest if one.dense_distance is None else 1 - one.dense_distance for one in candidates
    ]


def _shares(values: Sequence[float]) -> list[float]:
    """Return values as shares of the largest; below 0 counts as 0."""
    largest = max(values)
    if largest <= 0:
        return [0.0] * len(values)
    return [max(0.0, value) / largest for value in values]


def _of_tokens(candidates: Sequence[Candidate], tokens: Sequence[float]) -> dict[str, list[float]]:
    """Return what tokens say of each candidate, and of those beside it, if any are candidates."""
    values = _between(tokens)
    neighbours = _of_neighbours(candidates, values)
    return {"tokens": values} | ({"neighbours": neighbours} if any(neighbours) else {})


def _between(values: Sequence[float]) -> list[float]:
    """Return values by their place between the least, 0, and the largest, 1.

    Where all are nearly alike none is near 0.
    """
    largest = max(values)
    span = max(_LEAST_SPAN, largest - min(values))
    return [1 - (largest - value) / span for value in values]


def _of_neighbours(candidates: Sequence[Candidate], values: Sequence[float]) -> list[float]:
    """Return for each candidate the mean of what those written right before and after it have."""
    held: dict[tuple[str | None, int], float] = {
        (one.session_id, one.ordinal): value
        for one, value in zip(candidates, values, strict=True)
        if one.session_id is not None
    }
    return [
        sum(held.get((one.session_id, one.ordinal + step), 0.0) for step in (-1, 1)) / 2
        for one in candidates
    ]


def _of_sessions(candidates: Sequence[Candidate], values: Sequence[float]) -> list[float]:
    """Return for each candidate the mean of its session's three best, as a share of the largest.

    Sessions with fewer candidates are filled up with the least value; a memory without a session
    stands alone.
    """
    least = min(values)
    grouped: dict[str, list[float]] = defaultdict(list)
    for one, value in zip(candidates, values, strict=True):
        if one.session_id is not None:
            grouped[one.session_id].append(value)
    means = {session: _mean_of_best(held, least) for session, held in grouped.items()}
    return _shares(
        [
            _mean_of_best([value], least) if one.session_id is None else means[one.session_id]
            for one, value in zip(candidates, values, strict=True)
        ]
    )


def _mean_of_best(values: list[float], least: float) -> float:
    best = sorted(values, reverse=True)[:_SESSION_BEST]
    return (sum(best) + least * (_SESSION_BEST - len(best))) / _SESSION_BEST


def _named_speaker(text: str, candidates: Sequence[Candidate]) -> str | None:
    names = (one.name for one in candidates)
    return named_speaker(text, names, texts=[one.content for one in candidates])


def named_speaker(
    text: str, names: Iterable[str | None], *, texts: Sequence[str] = ()
) -> str | None:
    """Return, in small letters, the one person whom a question names.

    ``None`` for nobody, for several, and for titles. A whole part of a name counts; where there is
    none, a nickname of three letters or more that a name begins with. Names that are ordinary
    words (*will*) yield to words with a capital, and nicknames need one: *car* is not Caroline.
    One in small letters counts if it stands in ``texts`` with a capital, and never without.
    """
    people = people_among(names)
    words = _WORD.findall(text)
    small = [word.lower() for word in words]
    capitals = {word.lower() for word in words if word[0].isupper()}
    nicknames = tuple(word.lower() for word in words[1:] if word[0].isupper() and _is_long(word))
    named = (
        [name for name, parts in people.items() if parts & capitals]
        or [name for name, parts in people.items() if not parts.isdisjoint(small)]
        or [name for name in people if name.startswith(nicknames)]
        or [name for name in people if name.startswith(_called_so(people, small, texts))]
    )
    return named[0] if len(named) == 1 else None


def _is_long(word: str) -> bool:
    return len(word) >= _SHORTEST_NICKNAME


def _called_so(
    people: Iterable[str], words: Sequence[str], texts: Sequence[str]
) -> tuple[str, ...]:
    """Return words that names begin with and that texts write as names are written."""
    long = {word for word in words if _is_long(word)}
    begin = [word for word in sorted(long) if any(name.startswith(word) for name in people)]
    found = []
    for word in begin:
        standing = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", re.IGNORECASE)
        seen = [match[0] for text in texts for match in standing.finditer(text)]
        if seen and all(one[0].isupper() for one in seen):
            found.append(word)
    return tuple(found)


def people_among(names: Iterable[str | None]) -> dict[str, frozenset[str]]:
    """Return the parts of each person's name, small letters; nobody where names are titles."""
    people = {name.lower() for name in names if name}
    if len(people) > MOST_PEOPLE:
        return {}
    return {name: frozenset(_WORD.findall(name)) for name in sorted(people)}


def weights_of(held: Mapping[str, float]) -> Weights:
    """Read weights; every feature must have one, and nothing else may."""
    return Weights(**{name: float(weight) for name, weight in held.items()})
