"""How far the words of memories that go are followed, and what is left of the changes."""

from dataclasses import replace

from app.linking.kernel.undoing import Change, State, reached, undone


def state(*tags: str, context: str = "") -> State:
    return State((), tags, context)


def change(number: int, target: int, *others: int, before: State, after: State) -> Change:
    return Change(number, target, (target, *others), before, after, False, False)


FIRST = change(1, 2, 1, before=state("b"), after=state("b", "a"))
"""Note 2 took the tag ``a`` of note 1."""
SECOND = change(2, 3, 2, before=state("c"), after=state("c", "a", "b"))
"""Note 3 took it from note 2, with one of note 2's own."""
OTHER = change(3, 4, 2, before=state("d"), after=state("d", "b"))
"""Note 4 took of note 2 what was its own."""
LOG = (SECOND, OTHER, FIRST)


def test_a_tag_is_followed_from_note_to_note_and_no_further() -> None:
    assert reached(LOG, {1}) == [FIRST, SECOND]
    assert reached(LOG, {3}) == [SECOND]
    assert reached(LOG, {9}) == []


def test_what_came_before_a_tag_did_is_not_touched() -> None:
    earlier = replace(SECOND, number=0)

    assert reached([FIRST, earlier], {1}) == [FIRST]


def test_whatever_a_model_made_of_a_note_so_changed_is_reached() -> None:
    asked = replace(OTHER, is_by_model=True)

    assert reached([FIRST, asked], {1}) == [FIRST, asked]
    assert reached([replace(FIRST, after=FIRST.before), asked], {1})[1:] == []


def test_what_a_reverted_change_passed_on_is_reached() -> None:
    undone_before = replace(FIRST, is_reverted=True)

    assert reached([undone_before, SECOND], {1}) == [undone_before, SECOND]


def test_later_changes_of_a_note_stand_on_the_earlier_ones() -> None:
    later = change(4, 2, 5, before=FIRST.after, after=state("b", "a", "e"))

    assert reached([FIRST, later], {1}) == [FIRST, later]


def test_what_was_chosen_by_rule_is_chosen_anew() -> None:
    notes = {2: FIRST.after, 3: SECOND.after}

    found = undone([FIRST, SECOND], {1}, notes.__getitem__)

    assert found.dropped == [1]
    assert found.states == {2: state("b"), 3: state("c", "b")}
    assert found.kept == [replace(SECOND, after=state("c", "b"))]


def test_a_tag_that_another_memory_has_as_well_stays() -> None:
    both = replace(FIRST, sources=(2, 1, 5))

    found = undone([both], {1}, {2: FIRST.after, 5: state("a")}.__getitem__)

    assert found.states == {2: state("b", "a")}
    assert found.kept == [replace(both, sources=(2, 5))]


def test_what_a_model_said_or_a_user_undid_is_forgotten() -> None:
    by_model, reverted = replace(SECOND, is_by_model=True), replace(OTHER, is_reverted=True)
    notes = {2: state("b", "a"), 3: SECOND.after, 4: state("d")}

    found = undone([by_model, reverted], {9}, notes.__getitem__)

    assert (found.dropped, found.kept) == ([2, 3], [])
    assert found.states == {3: state("c")}


def test_a_link_that_brought_no_tags_keeps_its_record() -> None:
    plain = change(1, 2, 1, 5, before=state("b"), after=state("b"))

    found = undone([plain], {1}, dict[int, State]().__getitem__)

    assert found.states == {}
    assert found.kept == [replace(plain, sources=(2, 5))]
