"""The check of a claim."""

from uuid import UUID

from ..errors import InvalidArgument
from ..messages.safe_repr import safe_repr
from . import validation
from .records import Claim

LARGEST_ATTEMPT = 2**63 - 1
"""The highest attempt that every store can hold."""


def check(claim: Claim) -> None:
    """Reject any value but a claim with a UUID and an attempt from 0 to `LARGEST_ATTEMPT`."""
    if type(claim) is Claim and type(claim[0]) is UUID and type(claim[1]) is int and 0 <= claim[1] <= LARGEST_ATTEMPT:
        return  # fast path: each settled job is checked here
    if not isinstance(claim, Claim):
        raise InvalidArgument(f"claim is {safe_repr(claim)}; it must be a Claim, e.g. record.claim")
    if not isinstance(claim.id, UUID):
        raise InvalidArgument(f"the id of a claim is {safe_repr(claim.id)}; it must be a uuid.UUID")
    validation.within(claim.attempt, 0, LARGEST_ATTEMPT, "the attempt of a claim")
