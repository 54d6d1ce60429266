"""Expected failures of the room."""

from app.kit.errors import Problem


class RecallNotFoundError(Problem):
    """No such recall in the caller's scope, or it is too long ago, or it had no hits."""

    slug = "recall-not-found"
    status = 404
    title = "Recall not found"
