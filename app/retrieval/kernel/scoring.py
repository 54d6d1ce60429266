"""What a candidate's score becomes after the fusion. Pure."""

from collections.abc import Sequence

from app.retrieval.kernel.candidates import Candidate


def weigh(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return candidates best first after the soft factors.

    The one place for bounded factors such as retention, importance and feedback: none is in force
    yet, so the order of the fusion stands. Ties are broken by age, so that results repeat.
    """
    return sorted(candidates, key=lambda one: (-one.score, one.ordinal))
