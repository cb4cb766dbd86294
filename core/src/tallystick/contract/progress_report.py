"""A report of the progress of one attempt."""

from dataclasses import dataclass

from . import claims, progress
from .records import Claim


@dataclass(frozen=True, slots=True)
class ProgressReport:
    """How far the attempt of a claim is.

    Args:
        fraction: From 0 to 1. None if it is not known.
        message: At most 500 characters.
    """

    claim: Claim
    fraction: float | None = None
    message: str = ""

    def __post_init__(self) -> None:
        claims.check(self.claim)
        fraction, message = progress.checked(self.fraction, self.message)
        object.__setattr__(self, "fraction", fraction)
        object.__setattr__(self, "message", message)
