"""Profiles as documents: rendered from what is counted, rid of what is erased."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.profiles.kernel import documents
from app.profiles.kernel.documents import (
    Biography,
    Line,
    Moment,
    Portrait,
    Profile,
    Shade,
    Wording,
)
from app.profiles.kernel.extracts import Term
from app.profiles.schemas import PROFILE

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
WORDING = Wording(
    "Gardening", "gardener", "🌱", "Loves tomatoes.", "Grows them.", "You love tomatoes.",
    "You grow them.", "llm:test", (1, 2),
)  # fmt: skip


def moment(source: int) -> Moment:
    return Moment(NOON + timedelta(days=source), f"said {source}", "0" * 32, source)


def shade(*, size: int = 3, confidence: int = 5) -> Shade:
    return Shade(
        id="0" * 32,
        size=size,
        first_at=NOON,
        last_at=NOON + timedelta(days=3),
        terms=(Term("garden", 3, (1, 2, 3)), Term("tomatoes", 1, (2,)), Term("sun", 1, (3,))),
        quotes=(Line("I planted tomatoes.", (2,)), Line("The garden is dry.", (1,))),
        timeline=(moment(1), moment(2), moment(3)),
        confidence=confidence,
    )


def test_a_shade_is_named_and_described_by_what_is_counted() -> None:
    one = shade()

    assert documents.name_of(one) == "garden, tomatoes, sun"
    assert documents.description_of(one) == (
        "Spoken of in 3 memories from 2026-05-01 to 2026-05-04: garden, tomatoes, sun."
    )
    assert documents.description_of(one, second=True).startswith("You spoke of this in 3 memories")
    assert "I planted tomatoes." in documents.content_of(one)


def test_a_models_wording_goes_first() -> None:
    one = replace(shade(), wording=WORDING)

    assert documents.name_of(one) == "Gardening"
    assert documents.description_of(one, second=True) == "You love tomatoes."
    assert documents.content_of(one) == "Grows them."


def test_the_biography_changes_when_a_shade_changes() -> None:
    before = Profile(shades=(shade(),))
    after = Profile(shades=(shade(size=9, confidence=4),))

    assert documents.biography_of(before) == (
        "Speaks most of: garden, tomatoes, sun (3 memories, very high confidence)."
    )
    assert documents.biography_of(before) != documents.biography_of(after)
    assert documents.biography_of(after, second=True).startswith("You speak most of: garden")


def test_without_shades_there_is_no_biography() -> None:
    assert documents.biography_of(Profile()) == ""


def test_what_was_made_of_an_erased_memory_goes() -> None:
    one = replace(shade(), wording=WORDING)
    profile = Profile(
        shades=(one,),
        portrait=Portrait(keywords=(Term("tomatoes", 2, (2,)), Term("garden", 2, (1, 2)))),
        summary=(Line("Of 1.", (1,)), Line("Of both.", (1, 2))),
        biography=Biography("He.", "You.", "llm:test", (1, 2, 3)),
    )

    left = documents.without(profile, {2}, documents.erasing({2}))

    (kept,) = left.shades
    assert [term.text for term in kept.terms] == ["garden", "sun"]
    assert [line.text for line in kept.quotes] == ["The garden is dry."]
    assert [one.source for one in kept.timeline] == [1, 3]
    assert (kept.size, kept.wording) == (2, None)
    assert left.portrait.keywords == (Term("garden", 1, (1,)),)
    assert [line.text for line in left.summary] == ["Of 1."]
    assert left.biography is None
    assert 2 not in documents.sources_of(left)


def test_a_shade_goes_with_its_last_memory() -> None:
    assert (
        documents.without(
            Profile(shades=(shade(),)), {1, 2, 3}, documents.erasing({1, 2, 3})
        ).shades
        == ()
    )


@given(st.sets(st.integers(0, 6)))
def test_nothing_erased_is_ever_left(gone: set[int]) -> None:
    profile = Profile(
        shades=(replace(shade(), wording=WORDING),),
        portrait=Portrait(names=(Term("Anna", 4, (0, 4)),), traits=Line("Calm.", (5, 6))),
        status=(Line("Now.", (4,)),),
        biography=Biography("He.", "You.", "llm:test", (1, 2, 3)),
    )

    assert (
        not set(documents.sources_of(documents.without(profile, gone, documents.erasing(gone))))
        & gone
    )


def test_a_timeline_keeps_its_ends() -> None:
    moments = [moment(i) for i in range(100)]

    kept = documents.spread(moments, 10)

    assert (len(kept), kept[0], kept[-1]) == (10, moments[0], moments[-1])
    assert documents.spread(moments[:3], 10) == tuple(moments[:3])


def test_a_profile_survives_the_database() -> None:
    profile = Profile(
        shades=(replace(shade(), wording=WORDING),),
        portrait=Portrait(traits=Line("Calm.", (1,))),
        summary=(Line("Of 1.", (1,), NOON.date()),),
    )

    assert PROFILE.validate_python(PROFILE.dump_python(profile, mode="json")) == profile


def test_archived_a_text_stays_as_long_as_one_of_its_memories_is_live() -> None:
    said = Line("Both grow.", (1, 2))

    assert documents.lines_without([said], documents.hiding({2})) == (said,)
    assert documents.lines_without([said], documents.hiding({1, 2})) == ()
    assert documents.lines_without([said], documents.erasing({2})) == ()
