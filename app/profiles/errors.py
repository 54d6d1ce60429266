"""Expected failures of the room."""

from typing import Self

from app.kit.errors import Problem


class ProfileVersionNotFoundError(Problem):
    """The owner's profile has no such version, or it was pruned."""

    slug = "profile-version-not-found"
    status = 404
    title = "Profile version not found"

    @classmethod
    def of(cls, version: int) -> Self:
        """Name the missing version."""
        return cls(f"The profile has no version {version}.", version=version)
