"""Expected failures of the room."""

from app.kit.errors import Problem


class TimelineTooLongError(Problem):
    """More steps are asked for than one timeline may have."""

    slug = "timeline-too-long"
    status = 422
    title = "Timeline too long"
