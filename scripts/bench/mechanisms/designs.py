"""Ways in which links may change a ranking of the same length. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

Links = Mapping[str, Mapping[str, float]]
"""By memory, the memories it is linked to, with a weight in (0, 1]."""


class Hit(NamedTuple):
    """A memory and its score."""

    id: str
    score: float


Design = Callable[[Sequence[Hit], Links], list[str]]
"""Makes of hits, best first, and links a new ranking."""


def tail(hits: Sequence[Hit], links: Links, *, length: int = 10, room: int = 3) -> list[str]:
    """Give the last places of a list to what is linked to the places before."""
    first = hits[: length - room]
    kept = [hit.id for hit in first]
    found: dict[str, float] = {}
    for hit in first:
        for other, weight in links.get(hit.id, {}).items():
            if other not in kept:
                found[other] = max(found.get(other, 0), hit.score * weight)
    linked = sorted(found, key=lambda one: -found[one])[:room]
    rest = [hit.id for hit in hits[length - room :] if hit.id not in linked]
    return kept + linked + rest


def spread(
    hits: Sequence[Hit], links: Links, *, share: float = 0.1, sources: int = 5, pool: int = 50
) -> list[str]:
    """Let the first hits lend some of their score to candidates that are linked to them.

    The most that is lent is ``share``; only candidates that the question found too can gain.
    """
    lent: dict[str, float] = {}
    for hit in hits[:sources]:
        for other, weight in links.get(hit.id, {}).items():
            lent[other] = lent.get(other, 0) + hit.score * weight
    most = max(lent.values(), default=1)
    total = {hit.id: hit.score + share * lent.get(hit.id, 0) / most for hit in hits[:pool]}
    return sorted(total, key=lambda one: -total[one])


def of_graph(graph: Mapping[str, Any]) -> Links:
    """Return the links of the service: mutual nearest notes."""
    pairs = ((one["source"], one["target"], one["weight"]) for one in graph["links"])
    return _both_ways(pairs)


def across(links: Links, session: Mapping[str, str]) -> Links:
    """Return the links between memories of different sessions."""
    return {
        one: {other: w for other, w in found.items() if session[other] != session[one]}
        for one, found in links.items()
    }


def by_keywords(graph: Mapping[str, Any], *, shared: int = 2, most: int = 6) -> Links:
    """Link notes that share keywords."""
    keywords = [(node["id"], set(node["keywords"])) for node in graph["nodes"]]
    return _both_ways(
        (one, other, len(common) / most)
        for (one, mine), (other, theirs) in combinations(keywords, 2)
        if len(common := mine & theirs) >= shared
    )


def by_neighbourhood(sessions: Iterable[Sequence[str]], *, reach: int = 2) -> Links:
    """Link turns that followed one another in a session."""
    return _both_ways(
        (one, session[place + step], 1 / step)
        for session in sessions
        for place, one in enumerate(session)
        for step in range(1, reach + 1)
        if place + step < len(session)
    )


def _both_ways(pairs: Iterable[tuple[str, str, float]]) -> Links:
    found: dict[str, dict[str, float]] = {}
    for one, other, weight in pairs:
        found.setdefault(one, {})[other] = weight
        found.setdefault(other, {})[one] = weight
    return found
