"""What the links of the hits lead to."""

from app.retrieval.kernel.linked import Linked, Step, beyond


def test_a_link_is_followed_from_either_end() -> None:
    hits = {1: 0.8, 5: 0.5}

    found = beyond(hits, [Step(3, 1, 0.5), Step(5, 4, 0.9)])

    assert found == [Linked(4, 5, 0.45, 0.9), Linked(3, 1, 0.4, 0.5)]


def test_hits_are_not_found_again_and_links_elsewhere_do_not_count() -> None:
    assert beyond({1: 1.0, 2: 1.0}, [Step(2, 1, 1.0), Step(9, 8, 1.0)]) == []


def test_of_two_links_the_better_counts() -> None:
    assert beyond({1: 0.9, 2: 0.5}, [Step(3, 2, 1.0), Step(3, 1, 0.8)]) == [
        Linked(3, 1, 0.9 * 0.8, 0.8)
    ]


def test_a_negative_weight_counts_as_none() -> None:
    assert beyond({1: 0.9}, [Step(2, 1, -0.3)]) == [Linked(2, 1, 0.0, 0.0)]
