"""Ways in which links change a ranking."""

from scripts.bench.mechanisms import designs
from scripts.bench.mechanisms.designs import Hit

HITS = [Hit(name, 1 - place / 20) for place, name in enumerate("abcdefghijkl")]


def test_linked_memories_take_the_last_places() -> None:
    links = {"a": {"z": 0.9, "b": 1.0}, "c": {"y": 0.5}}
    ranked = designs.tail(HITS, links, length=5, room=2)
    assert ranked[:5] == ["a", "b", "c", "z", "y"]


def test_without_links_the_ranking_stays() -> None:
    assert designs.tail(HITS, {}) == [hit.id for hit in HITS]
    assert designs.spread(HITS, {}) == [hit.id for hit in HITS]


def test_the_first_hits_lend_score_to_candidates_only() -> None:
    links = {"a": {"l": 1.0, "z": 1.0}}
    ranked = designs.spread(HITS, links, share=0.2)
    assert ranked.index("l") < 11
    assert "z" not in ranked


def test_links_by_keywords_session_and_graph() -> None:
    graph = {
        "nodes": [{"id": "a", "keywords": ["x", "y"]}, {"id": "b", "keywords": ["y", "x", "z"]}],
        "links": [{"source": "b", "target": "a", "weight": 0.7}],
    }
    assert designs.of_graph(graph) == {"b": {"a": 0.7}, "a": {"b": 0.7}}
    assert designs.by_keywords(graph)["a"] == {"b": 2 / 6}
    beside = designs.by_neighbourhood([["a", "b", "c"]])
    assert beside["a"] == {"b": 1.0, "c": 0.5}
    assert designs.across(beside, {"a": "1", "b": "1", "c": "2"})["a"] == {"c": 0.5}
