"""Named days in a ranking: what happened on them goes first. Pure.

Source: LongMemEval, arXiv:2410.10813, time-aware query expansion; MemoryBank, arXiv:2305.10250,
whose memories and questions go by day. Deviation: a time is read by rule, not by a language model.
"""

from collections.abc import Sequence

from app.retrieval.kernel.candidates import NOTHING, Candidate

DAY_WEIGHT = 3
"""Weight of the score among what happened on a named day, against that among everything."""
TODAY_WEIGHT = 1
"""The same for days told from the day of the question: that day is often not the speaker's."""


def prefer(
    found: Sequence[Candidate], on_day: Sequence[Candidate], *, weight: float = DAY_WEIGHT
) -> list[Candidate]:
    """Return candidates of a recall and of one narrowed to the named days, best first.

    A score is the weighted mean of both, and of nothing for those of other days: the best of a
    day goes before the best of all others, but what fits better may stand between the rest.
    """
    everywhere = {one.ordinal: one for one in found}
    there = {one.ordinal: one for one in on_day}
    total = 1 + weight
    scored = []
    for ordinal in everywhere.keys() | there.keys():
        one = everywhere.get(ordinal)
        narrowed = there.get(ordinal)
        day = narrowed.score if narrowed else 0.0
        # One that only the narrowed recall found was too far down in the other to count.
        held = one or there[ordinal]._replace(score=0.0, fused=0.0, features=NOTHING)
        score = (held.score + weight * day) / total
        scored.append(held._replace(score=score, on_day=day))
    return sorted(scored, key=lambda one: (-one.score, one.ordinal))
