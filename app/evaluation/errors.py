"""Expected failures of the room."""


class CallFailedError(RuntimeError):
    """The measured service refused a request, or could not be reached."""
